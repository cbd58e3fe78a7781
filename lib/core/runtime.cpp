#include <orderproc/runtime.hpp>

#include <array>
#include <bit>
#include <random>

namespace orderproc {
inline namespace v1 {

namespace {

class system_clock final : public clock {
public:
    timestamp now() override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
    instant monotonic() override {
        return instant{std::chrono::floor<std::chrono::milliseconds>(
            std::chrono::steady_clock::now().time_since_epoch())};
    }
};

// xoshiro256** 1.0 (Blackman, Vigna 2018).
class xoshiro256 {
public:
    xoshiro256() {
        std::random_device seed;
        for (auto& word : state_) word = (std::uint64_t{seed()} << 32) | seed();
    }
    std::uint64_t operator()() noexcept {
        const std::uint64_t out = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return out;
    }

private:
    std::array<std::uint64_t, 4> state_{};
};

class system_random final : public random_source {
public:
    std::uint64_t next() override {
        thread_local xoshiro256 generator;
        return generator();
    }
};

}  // namespace

runtime system_runtime(observer& observer) noexcept {
    static system_clock time;
    static system_random random;
    return {time, random, observer};
}

runtime system_runtime() noexcept {
    static observer nobody;
    return system_runtime(nobody);
}

}  // namespace v1
}  // namespace orderproc
