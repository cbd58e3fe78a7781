#include <orderproc/order_model.hpp>

#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// Collects what contradicts, in sentences.
class differences {
public:
    void add(std::string what) {
        if (!all_.empty()) all_ += "; ";
        all_ += std::move(what);
    }
    template <class T>
    void compare(const T& was, const T& is, std::string_view what) {
        if (!(was == is)) add(std::string(what) + " changed");
    }
    result<void> verdict() && {
        if (all_.empty()) return {};
        return failure{errc::invalid_argument, std::move(all_)};
    }

private:
    std::string all_;
};

void compare(const attribute_rule& was, const attribute_rule* is, differences& out) {
    if (!is) return out.add(was.name + " is gone");
    if (was.indexed && !is->indexed) return out.add(was.name + " is no longer indexed");
    attribute_rule same = *is;
    same.indexed = was.indexed;
    if (!(same == was)) out.add(was.name + " changed");
}

}  // namespace

result<void> check_successor(const order_model& was, const order_model& is) {
    differences out;
    const order_rules& old_rules = was.rules();
    const order_rules& new_rules = is.rules();
    out.compare(old_rules.items, new_rules.items, "the form of items");
    out.compare(old_rules.user, new_rules.user, "the form of users");
    out.compare(old_rules.guests, new_rules.guests, "guests");
    out.compare(old_rules.ids, new_rules.ids, "the form of order ids");
    out.compare(old_rules.tenants, new_rules.tenants, "tenants");
    out.compare(old_rules.personal_metadata, new_rules.personal_metadata, "personal metadata");
    out.compare(old_rules.personal_annotations, new_rules.personal_annotations,
                "personal annotations");
    out.compare(old_rules.total, new_rules.total, "the total rule");
    for (const attribute_rule& it : old_rules.attributes) compare(it, is.find(it.name), out);
    for (const attribute_rule& it : new_rules.attributes) {
        if (was.find(it.name)) continue;
        if (it.required) out.add(it.name + " is new and required");
    }
    return std::move(out).verdict();
}

}  // namespace v1
}  // namespace orderproc
