// For LD_PRELOAD: adds SYNC_DELAY_US microseconds to every fsync and fdatasync.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void delay(void) {
    const char* text = getenv("SYNC_DELAY_US");
    const long us = text ? atol(text) : 0;
    const struct timespec wait = {us / 1000000, (us % 1000000) * 1000};
    if (us > 0) nanosleep(&wait, NULL);
}

int fsync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    delay();
    return next(fd);
}

int fdatasync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    delay();
    return next(fd);
}
