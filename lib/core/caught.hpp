#ifndef ORDERPROC_CORE_CAUGHT_HPP
#define ORDERPROC_CORE_CAUGHT_HPP

// What a catch block reports.

#include <orderproc/error.hpp>

#include <exception>

namespace orderproc {
inline namespace v1 {
namespace detail {

// A catch block must not throw, and copying the text can: if memory has run out, the code alone has
// to do.
inline failure caught(errc value, const char* text) noexcept {
    failure out(value);
    try {
        out.detail = text;
    } catch (const std::exception&) {  // see above
    }
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
