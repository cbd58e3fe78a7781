// The body of a create. What was read, written and read again is the same.

#include "fuzz.hpp"

#include <orderproc/json.hpp>

#include <string>

using namespace orderproc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    const parsed_order read = parse_order(text);
    ORDERPROC_EXPECT(read.errors.size() <= parsed_order::errors_max);
    if (!read.ok()) {
        ORDERPROC_EXPECT(read.syntax.line == 0 || read.errors.empty());
        for (const field_error& it : read.errors) {
            ORDERPROC_EXPECT(it.pointer.starts_with('#') && !it.code.empty());
        }
        return 0;
    }
    // What a body may contain and what a host may pass on are the same.
    ORDERPROC_EXPECT(validate(read.value).has_value());
    // An order shows more than a client may send; an edit accepts that if it is equal.
    order stored;
    static_cast<order_content&>(stored) = read.value;
    stored.id = read.value.id.empty() ? order_id::parse("ORD-1").value() : read.value.id;
    const std::string written = to_json(stored);
    ORDERPROC_EXPECT(written.find('\n') == written.npos);
    const parsed_edit again = parse_replacement(written, &stored);
    ORDERPROC_EXPECT(again.ok());
    ORDERPROC_EXPECT(again.value.user == read.value.user);
    ORDERPROC_EXPECT(again.value.item_ids == read.value.item_ids);
    ORDERPROC_EXPECT(again.value.total_amount == read.value.total_amount);
    order same = stored;
    same.metadata = again.value.metadata;
    ORDERPROC_EXPECT(to_json(same) == written);
    // A list of it and itself splits into it and itself.
    const std::string twice = "[" + written + "," + written + "]";
    const json_array split = split_json_array(twice, 3);
    ORDERPROC_EXPECT(split.syntax.line == 0 && split.items.size() == 2);
    ORDERPROC_EXPECT(split.items[0] == written && split.items[1] == written);
    return 0;
}
