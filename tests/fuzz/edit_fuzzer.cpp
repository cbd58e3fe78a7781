// Edits, merge patches and transitions. An edit that was made may be made again: it changes
// nothing then. Metadata stays JSON.

#include "fuzz.hpp"

#include <orderproc/json.hpp>

#include <string>

using namespace orderproc;

namespace {

const order& current() {
    static const order it = [] {
        order out;
        static_cast<order_content&>(out) =
            parse_order(R"({"user_id":1,"item_ids":[1,2],"total_amount":1.5,)"
                        R"("metadata":{"a":{"b":1,"c":[2]},"d":"e"}})")
                .value;
        out.id = order_id::parse("ORD-1").value();
        out.number = 7;
        out.version = order_version{3};
        return out;
    }();
    return it;
}

order edited(const order& from, const parsed_edit& by) {
    order out = from;
    static_cast<order_content&>(out) = by.value;
    return out;
}

using edit_parser = parsed_edit(std::string_view, const order*, const order_model&);

void check(edit_parser* parse, std::string_view text) {
    const order_model& model = order_model::standard();
    const parsed_edit blind = parse(text, nullptr, model);
    const parsed_edit seeing = parse(text, &current(), model);
    ORDERPROC_EXPECT((blind.syntax.line != 0) == (seeing.syntax.line != 0));
    ORDERPROC_EXPECT(blind.needs_current || blind.ok() == seeing.ok());
    if (!seeing.ok()) return;
    const order once = edited(current(), seeing);
    const std::string written = to_json(once);
    ORDERPROC_EXPECT(split_json_array("[" + written + "]", 2).syntax.line == 0);
    const parsed_edit again = parse(text, &once, model);
    ORDERPROC_EXPECT(again.ok() && to_json(edited(once, again)) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    check(&parse_merge_patch, text);
    check(&parse_replacement, text);
    const parsed_transition moved = parse_transition(text);
    if (moved.ok()) {  // "" is no event of any machine: for those who know the machine to refuse
        ORDERPROC_EXPECT(moved.reason.size() <= parsed_transition::reason_size_max);
    }
    return 0;
}
