#ifndef ORDERPROC_TESTING_CASE_RESULT_HPP
#define ORDERPROC_TESTING_CASE_RESULT_HPP

// How a conformance case says that it did not pass.

#include <orderproc/config.hpp>

#include <stdexcept>

namespace orderproc {
inline namespace v1 {
namespace testing {

// what(): which promise broke, what was expected and found, and how to reproduce it.
class ORDERPROC_EXPORT case_failed : public std::runtime_error {
    using runtime_error::runtime_error;
};
class ORDERPROC_EXPORT case_skipped : public std::runtime_error {
    using runtime_error::runtime_error;
};

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
