#ifndef ORDERPROC_ERROR_HPP
#define ORDERPROC_ERROR_HPP

// Errors are values. Every function that can fail returns result<T>, a boost::system::result with a
// code for programs and a detail for people.

#include <orderproc/config.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace orderproc {
inline namespace v1 {

using boost::system::error_code;

// Grouped by what the caller should do. Zero is success in error_code, so the first is 1.
enum class errc {
    // Understood and refused; nothing was changed. Do not retry it unchanged.
    invalid_argument = 1,
    not_found,
    already_exists,        // the order id is taken, perhaps by an order deleted since
    idempotency_mismatch,  // the idempotency key was used with a different request
    version_conflict,
    transition_rejected,  // the status, or work on the order that has begun, forbids it
    lease_lost,           // somebody else holds the order now, or nobody does
    attribute_taken,      // another order has the value, which is unique
    // Nothing was written. Retrying is safe.
    overloaded,
    unavailable,
    stopped,
    model_changed,  // load the order model again before the next write
    // The write may or may not be durable. Retry only with the same idempotency key.
    outcome_unknown,
    // Fix the deployment.
    not_supported,
    schema_mismatch,
    corrupt,
};

ORDERPROC_EXPORT const boost::system::error_category& orderproc_category() noexcept;

inline error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), orderproc_category()};
}

struct failure {
    error_code code;
    std::string detail;  // empty for refusals: the hot path does not allocate

    failure() = default;  // result<T>::error() needs it in Boost 1.81
    failure(errc value, std::string text = {})
        : code(make_error_code(value)), detail(std::move(text)) {}
    failure(error_code value, std::string text = {}) : code(value), detail(std::move(text)) {}

    // "detail: message of code", for logs; without a code, the detail alone.
    ORDERPROC_EXPORT std::string message() const;
};

// boost::system::result (boost.org/libs/system) that may not be ignored: one that is not looked at
// is a warning.
template <class T = void>
class [[nodiscard]] result : public boost::system::result<T, failure> {
public:
    using boost::system::result<T, failure>::result;
};

// Lets result<T>::value() throw for callers who prefer exceptions.
[[noreturn]] inline void throw_exception_from_error(const failure& e,
                                                    const boost::source_location&) {
    if (e.detail.empty()) throw boost::system::system_error(e.code);
    throw boost::system::system_error(e.code, e.detail);
}

}  // namespace v1
}  // namespace orderproc

template <>
struct boost::system::is_error_code_enum<orderproc::errc> : std::true_type {};

#endif
