// Orders under models of any kind. The first 16 bytes make the model and an order of it, the rest
// is a body. What is accepted keeps the model's rules; it is printed, read back, and edited by its
// own print without a change.

#include "fuzz.hpp"
#include "random_model.hpp"

#include <orderproc/json.hpp>

#include <string>

using namespace orderproc;

namespace {

constexpr std::size_t seed_size = 16;

// The bytes, then what a generator makes of them (Knuth's, The Art of Computer Programming, 3.3.4).
class choices {
public:
    explicit choices(std::string_view seed) : seed_(seed) {}
    std::uint64_t operator()(std::uint64_t n) {
        const auto byte = static_cast<unsigned char>(seed_[at_++ % seed_.size()]);
        state_ = state_ * 6364136223846793005U + 1442695040888963407U + byte;
        return (at_ <= seed_.size() ? byte : state_ >> 33) % n;
    }

private:
    std::string_view seed_;
    std::size_t at_ = 0;
    std::uint64_t state_ = 0;
};

const order_content& content_of(const order_content& it) {
    return it;
}

// Its own print changes nothing.
void check_print(const order& it, const order_model& model) {
    ORDERPROC_EXPECT(model.validate(it).has_value());
    const std::string text = to_json(it, model);
    ORDERPROC_EXPECT(text.find('\n') == text.npos);
    parsed_edit replaced = parse_replacement(text, &it, model);
    ORDERPROC_EXPECT(replaced.ok());
    replaced.value.tenant = it.tenant;
    order same = it;
    static_cast<order_content&>(same) = replaced.value;
    ORDERPROC_EXPECT(to_json(same, model) == text);  // metadata had line breaks
    const parsed_edit patched = parse_merge_patch(text, &it, model);
    ORDERPROC_EXPECT(patched.ok());
    ORDERPROC_EXPECT(patched.value.attributes == it.attributes && patched.value.lines == it.lines);
    ORDERPROC_EXPECT(patched.value.item_ids == it.item_ids && patched.value.user == it.user);
    ORDERPROC_EXPECT(patched.value.total_amount == it.total_amount);
    const std::size_t start = text.find("\"order_id\"");
    const std::size_t until = text.rfind(",\"status\":\"");
    const parsed_order created = parse_order("{" + text.substr(start, until - start) + "}", model);
    ORDERPROC_EXPECT(created.ok() && created.value.id == it.id);
    static_cast<order_content&>(same) = content_of(created.value);
    ORDERPROC_EXPECT(to_json(same, model) == text);
}

order stored(const order_content& content, const order_id& id) {
    order out;
    static_cast<order_content&>(out) = content;
    out.id = id;
    out.number = 7;
    out.version = order_version{3};
    return out;
}

void check_errors(const syntax_error& syntax, const std::vector<field_error>& errors) {
    ORDERPROC_EXPECT(errors.size() <= parsed_order::errors_max);
    ORDERPROC_EXPECT(syntax.line == 0 || errors.empty());
    for (const field_error& it : errors) {
        ORDERPROC_EXPECT(it.pointer.starts_with('#') && !it.code.empty() && !it.detail.empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < seed_size) return 0;
    testing::random_models make(choices(fuzz::text_of(data, seed_size)));
    const std::string_view text = fuzz::text_of(data + seed_size, size - seed_size);
    const auto model = order_model::build(make.rules());
    ORDERPROC_EXPECT(model.has_value());
    const order it = stored(make.content(*model), make.id(*model));
    check_print(it, *model);

    const parsed_order created = parse_order(text, *model);
    check_errors(created.syntax, created.errors);
    if (created.ok()) {
        check_print(stored(created.value, created.value.id.empty() ? it.id : created.value.id),
                    *model);
    }
    for (const auto parse : {&parse_replacement, &parse_merge_patch}) {
        const parsed_edit blind = parse(text, nullptr, *model);
        parsed_edit seeing = parse(text, &it, *model);
        check_errors(seeing.syntax, seeing.errors);
        ORDERPROC_EXPECT((blind.syntax.line != 0) == (seeing.syntax.line != 0));
        ORDERPROC_EXPECT(blind.needs_current || blind.ok() == seeing.ok());
        if (!seeing.ok()) continue;
        seeing.value.tenant = it.tenant;
        check_print(stored(seeing.value, it.id), *model);
    }
    const parsed_annotation annotated = parse_annotation(text, &it, *model);
    check_errors(annotated.syntax, annotated.errors);
    return 0;
}
