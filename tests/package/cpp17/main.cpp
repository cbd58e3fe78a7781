// A stranger's program that stays C++17.

#include "orders.hpp"

#include <cstdio>
#include <exception>

static_assert(__cplusplus == 201703L, "linking the orders must not change the standard");

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        shop::orders orders(argv[1]);
        std::printf("%s\n", orders.place("123", {1001, 1002}, 14999).c_str());
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "%s\n", thrown.what());
        return 1;
    }
    return 0;
}
