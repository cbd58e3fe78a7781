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

}  // namespace v1
}  // namespace orderproc
