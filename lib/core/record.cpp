#include <orderproc/order.hpp>
#include <orderproc/record.hpp>

#include <string>

namespace orderproc {
inline namespace v1 {

namespace {

result<void> expect_record_size(std::string_view name, std::size_t size, std::size_t least,
                                std::size_t most) {
    if (size >= least && size <= most) return {};
    return failure{errc::invalid_argument,
                   std::string(name) + " of a record: " + std::to_string(least) + " to " +
                       std::to_string(most) + " bytes, not " + std::to_string(size)};
}

}  // namespace

result<void> validate(const change_record& what) {
    auto ok =
        expect_record_size("the collection", what.collection.size(), 1, record_collection_size_max);
    if (ok) ok = expect_record_size("the key", what.key.size(), 1, record_key_size_max);
    if (ok) ok = expect_record_size("the value", what.value.size(), 0, record_value_size_max);
    if (ok) ok = expect_record_size("the order", what.order.size(), 0, order_id::size_max);
    return ok;
}

change_record removal_of(std::string_view collection, std::string_view key, std::uint64_t version) {
    change_record out;
    out.action = record_action::remove;
    out.collection = collection;
    out.key = key;
    out.version = version;
    return out;
}

}  // namespace v1
}  // namespace orderproc
