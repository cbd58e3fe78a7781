#include "core/json_reader.hpp"
#include "json_fields.hpp"

#include <orderproc/json.hpp>

namespace orderproc {
inline namespace v1 {

parsed_order parse_order(std::string_view text, const order_model& model) {
    parsed_order out;
    detail::json_reader reader(text);
    detail::order_judge(reader, out, model).read();
    reader.finish();
    out.syntax = detail::syntax_of(reader);
    if (reader.failed()) out.errors.clear();
    return out;
}

class json_array_reader::impl {
public:
    explicit impl(std::string_view text)
        : reader_(text, detail::json_reader::depth_max + detail::json_reader::around_max) {}

    bool next(std::string_view& item) {
        if (!begun_) begin();
        if (over_) return false;
        if (reader_.next_item() && reader_.next() != detail::json_kind::none) {
            item = reader_.raw();
            if (!reader_.failed()) return true;
        }
        end();
        return false;
    }

    syntax_error syntax;
    std::vector<field_error> errors;

private:
    void begin() {
        begun_ = true;
        if (reader_.next() == detail::json_kind::array) return reader_.open();
        reader_.skip();
        errors.push_back({"#", "wrong_type", "must be an array"});
        end();
    }
    void end() {
        over_ = true;
        reader_.finish();
        syntax = detail::syntax_of(reader_);
        if (reader_.failed()) errors.clear();
    }

    detail::json_reader reader_;
    bool begun_ = false;
    bool over_ = false;
};

json_array_reader::json_array_reader(std::string_view text) : impl_(std::make_unique<impl>(text)) {}
json_array_reader::~json_array_reader() = default;

bool json_array_reader::next(std::string_view& item) {
    return impl_->next(item);
}
const syntax_error& json_array_reader::syntax() const noexcept {
    return impl_->syntax;
}
const std::vector<field_error>& json_array_reader::errors() const noexcept {
    return impl_->errors;
}

json_array split_json_array(std::string_view text, std::size_t most) {
    json_array out;
    json_array_reader from(text);
    for (std::string_view item; out.items.size() < most && from.next(item);) {
        out.items.push_back(item);
    }
    out.syntax = from.syntax();
    out.errors = from.errors();
    if (out.syntax.line != 0) out.items.clear();
    return out;
}

}  // namespace v1
}  // namespace orderproc
