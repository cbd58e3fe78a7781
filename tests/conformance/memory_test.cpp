#include "run_cases.hpp"

#include <orderproc/memory.hpp>

namespace {

class harness final : public orderproc::testing::storage_harness {
public:
    std::unique_ptr<orderproc::storage> open() override { return orderproc::make_memory_storage(); }
};

const bool added = add_storage_cases([] { return std::make_unique<harness>(); });

}  // namespace
