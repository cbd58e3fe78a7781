#ifndef ORDERPROC_LIB_CORE_CODEC_EXTRA_HPP
#define ORDERPROC_LIB_CORE_CODEC_EXTRA_HPP

// What most orders do not have, for storages that have columns for the rest: a user who is no
// integer, a tenant, lines, attributes and annotations.

#include <orderproc/order.hpp>

#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

ORDERPROC_EXPORT bool has_extra(const order_content& value) noexcept;

// Appends them, as codec.hpp encodes them within an order, but without a checksum.
ORDERPROC_EXPORT void encode_extra(const order_content& value, std::string& out);

// Takes them off the bytes. False: it cannot have been encoded by us. out.user is what it is as an
// integer, or empty.
ORDERPROC_EXPORT bool decode_extra(std::string_view& bytes, order_content& out);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
