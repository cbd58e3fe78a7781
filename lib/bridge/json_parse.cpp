#include "json_fields.hpp"
#include "json_reader.hpp"

#include <orderproc/json.hpp>

namespace orderproc {
inline namespace v1 {

parsed_order parse_order(std::string_view text) {
    parsed_order out;
    detail::json_reader reader(text);
    detail::order_judge(reader, out).read(detail::create_fields());
    reader.finish();
    if (reader.failed()) {
        out.syntax = reader.error();
        out.errors.clear();
    }
    return out;
}

json_array split_json_array(std::string_view text, std::size_t most) {
    json_array out;
    detail::json_reader reader(text, detail::json_reader::around_max);
    if (reader.next() == detail::json_kind::array) {
        reader.open();
        while (reader.next_item()) {
            if (out.items.size() == most) return out;
            if (reader.next() != detail::json_kind::none) out.items.push_back(reader.raw());
        }
    } else {
        reader.skip();
        out.errors.push_back({"#", "wrong_type", "must be an array"});
    }
    reader.finish();
    if (reader.failed()) {
        out.syntax = reader.error();
        out.errors.clear();
        out.items.clear();
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
