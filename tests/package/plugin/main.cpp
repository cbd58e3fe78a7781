// Loads the plugin as a host does that knows nothing of orders.

#include <dlfcn.h>

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    void* const plugin = dlopen("./shop_plugin.so", RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    const auto take_order = reinterpret_cast<int (*)(const char*)>(dlsym(plugin, "take_order"));
    return take_order ? take_order(argv[1]) : 1;
}
