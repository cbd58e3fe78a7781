#ifndef ORDERPROC_TESTS_UNIT_FAILING_ALLOCATOR_HPP
#define ORDERPROC_TESTS_UNIT_FAILING_ALLOCATOR_HPP

// A program whose memory runs out when the test says so. Replaces operator new of the whole
// program: include it in one source only.

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace shop_test {

// Of this thread: allocations that still succeed, and how many fail after that.
struct allocation_plan {
    std::size_t good = std::numeric_limits<std::size_t>::max();
    std::size_t bad = 0;
    bool failed = false;

    bool next_fails() noexcept {
        if (good > 0) {
            --good;
            return false;
        }
        if (bad == 0) return false;
        --bad;
        failed = true;
        return true;
    }
};
inline thread_local allocation_plan allocations;

// While it lives, memory runs out after so many allocations, for so many.
class memory_runs_out {
public:
    memory_runs_out(std::size_t after, std::size_t for_so_many) noexcept {
        allocations = {after, for_so_many, false};
    }
    ~memory_runs_out() { end(); }
    memory_runs_out(const memory_runs_out&) = delete;
    memory_runs_out& operator=(const memory_runs_out&) = delete;

    // Whether it did. From here on there is memory again.
    bool end() noexcept {
        const bool out = allocations.failed;
        allocations = {std::numeric_limits<std::size_t>::max(), 0, out};
        return out;
    }
};

// Runs it with memory that runs out at each point of its way, once and for a while. run(after,
// for_so_many) answers whether it did.
template <class Run>
void at_each_allocation(Run run) {
    for (const std::size_t for_so_many : {1, 2, 20}) {
        std::size_t after = 0;
        while (run(after, for_so_many)) ++after;
    }
}

}  // namespace shop_test

void* operator new(std::size_t size) {
    if (shop_test::allocations.next_fails()) throw std::bad_alloc();
    if (void* const got = std::malloc(size > 0 ? size : 1)) return got;
    throw std::bad_alloc();
}

void operator delete(void* what) noexcept {
    std::free(what);
}

void operator delete(void* what, std::size_t) noexcept {
    std::free(what);
}

#endif
