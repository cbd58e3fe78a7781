#include "api/idempotency.hpp"

#include <algorithm>

namespace orderproc::server {

key_field read_idempotency_key(const http::request& in) noexcept {
    key_field out;
    bool there = false;
    for (const http::field& it : in.fields) {
        if (!http::equal_ignoring_case(it.name, "Idempotency-Key")) continue;
        out.text = it.value;
        out.valid = !there && !it.value.empty() && it.value.size() <= idempotency_key_size_max &&
                    std::all_of(it.value.begin(), it.value.end(),
                                [](char c) { return c >= 0x20 && c < 0x7f; });
        there = true;
    }
    return out;
}

}  // namespace orderproc::server
