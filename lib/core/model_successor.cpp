#include <orderproc/order_model.hpp>
#include <orderproc/status_machine.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// Collects what contradicts, in sentences.
class differences {
public:
    void add(std::string_view what) {
        if (!all_.empty()) all_ += "; ";
        all_ += what;
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

// What of a rule is another one, as a model's text names it.
std::string changed_fields(const attribute_rule& was, const attribute_rule& is) {
    std::string out;
    const auto compare = [&out](const auto& a, const auto& b, std::string_view name) {
        if (a == b) return;
        out.append(out.empty() ? "" : ", ").append(name);
    };
    compare(was.type, is.type, "type");
    compare(was.required, is.required, "required");
    compare(was.default_value, is.default_value, "default");
    compare(was.edits, is.edits, "edits");
    compare(was.personal, is.personal, "personal");
    compare(was.unique, is.unique, "unique");
    compare(was.slot, is.slot, "slot");
    compare(was.size_min, is.size_min, "size_min");
    compare(was.size_max, is.size_max, "size_max");
    compare(was.characters, is.characters, "characters");
    compare(was.minimum, is.minimum, "minimum");
    compare(was.maximum, is.maximum, "maximum");
    compare(was.choices, is.choices, "choices");
    return out;
}

void compare(const attribute_rule& was, const attribute_rule* is, differences& out) {
    if (!is) return out.add(was.name + " is gone");
    if (was.indexed && !is->indexed) return out.add(was.name + " is no longer indexed");
    const std::string changed = changed_fields(was, *is);
    if (!changed.empty()) out.add(was.name + " changed: " + changed);
}

bool leads_from(const transition* it, order_status from) {
    return it && std::find(it->from.begin(), it->from.end(), from) != it->from.end();
}

std::string text_of(order_status from, const transition& it) {
    std::string out(from.view());
    return out.append(" –").append(it.event).append("→ ").append(it.to.view());
}

// What the one machine has and the other has not.
void compare_transitions(const status_machine& one, const status_machine& other,
                         std::string_view what, differences& out) {
    for (const transition& it : one.transitions()) {
        const transition* const same = other.find(it.event);
        for (const order_status from : it.from) {
            if (leads_from(same, from) && same->to == it.to) continue;
            out.add(text_of(from, it) + std::string(what));
        }
    }
}

bool same_stage(const work_stage& a, const work_stage& b) {
    return a.waiting == b.waiting && a.start == b.start && a.active == b.active &&
           a.release == b.release && a.fail == b.fail && a.failed == b.failed;
}

void compare_stages(const status_machine& one, const status_machine& other, std::string_view what,
                    differences& out) {
    for (const work_stage& it : one.stages()) {
        const work_stage* const same = other.stage_active_in(it.active);
        if (same && same_stage(*same, it)) continue;
        out.add("stage " + std::string(it.active.view()) + std::string(what));
    }
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

result<void> check_successor(const status_machine& was, const status_machine& is) {
    differences out;
    out.compare(was.initial(), is.initial(), "the initial status");
    compare_transitions(was, is, " is gone", out);
    compare_transitions(is, was, " is new", out);
    for (const transition& it : was.transitions()) {
        const transition* const same = is.find(it.event);
        if (same)
            out.compare(it.open_to_clients, same->open_to_clients,
                        std::string(it.event) + ": open_to_clients");
    }
    compare_stages(was, is, " is gone or changed", out);
    compare_stages(is, was, " is new or changed", out);
    return std::move(out).verdict();
}

}  // namespace v1
}  // namespace orderproc
