#include "core/json_reader.hpp"
#include "json_fields.hpp"
#include "model_reader.hpp"

#include <orderproc/model_file.hpp>

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

detail::machine_text text_of(const status_machine& machine) {
    detail::machine_text out;
    out.initial = machine.initial();
    for (const transition& it : machine.transitions()) {
        out.transitions.push_back(
            {std::string(it.event), it.from, it.to, it.open_to_clients, std::string(it.scope)});
    }
    for (const work_stage& it : machine.stages()) {
        out.stages.push_back({it.waiting, it.active, it.failed, std::string(it.start),
                              std::string(it.release), std::string(it.fail)});
    }
    return out;
}

// Makes a model and a machine of what was read without an error.
class model_builder {
public:
    explicit model_builder(parsed_model& out) : out_(out) {}

    void build(detail::model_text&& read) {
        build_orders(std::move(read.orders));
        build_statuses(read.statuses ? *read.statuses : text_of(status_machine::standard()));
    }

private:
    // Attributes are added one after the other, so that each that does not fit is named.
    void build_orders(order_rules all) {
        order_rules so_far = all;
        so_far.attributes.clear();
        so_far.total.reset();
        if (auto plain = order_model::build(so_far); !plain) {
            add("#/orders", plain.error().detail);
            so_far.guests = false;  // the one rule that is about no attribute
        }
        for (std::size_t i = 0; i < all.attributes.size(); ++i) {
            attribute_rule& it = all.attributes[i];
            if (it.slot == 0) it.slot = static_cast<std::uint8_t>(i + 1);
            so_far.attributes.push_back(it);
            auto fits = order_model::build(so_far);
            if (fits) continue;
            so_far.attributes.pop_back();
            add("#/orders/attributes/" + std::to_string(i), fits.error().detail);
        }
        if (!out_.errors.empty()) return;
        auto built = order_model::build(std::move(all));
        if (built) {
            out_.orders = std::move(*built);
        } else {
            add("#/orders/total", built.error().detail);
        }
    }

    void build_statuses(const detail::machine_text& read) {
        std::vector<transition_rule> rules;
        for (const detail::transition_text& it : read.transitions) {
            for (const order_status from : it.from) {
                rules.push_back({from, it.event, it.to, it.open_to_clients, it.scope});
            }
        }
        std::vector<work_stage> stages;
        for (const detail::stage_text& it : read.stages) {
            stages.push_back({it.waiting, it.start, it.active, it.release, it.fail, it.failed});
        }
        if (rules.size() > detail::model_reader::transitions_max) {
            return add("#/statuses/transitions", "must be from at most 1000 statuses in all");
        }
        auto built = status_machine::build(read.initial, rules, stages);
        if (built) {
            out_.statuses = std::move(*built);
        } else {
            add("#/statuses", built.error().detail);
        }
    }

    void add(std::string pointer, std::string detail) {
        if (out_.errors.size() >= parsed_order::errors_max) return;
        out_.errors.push_back({std::move(pointer), "invalid", std::move(detail)});
    }

    parsed_model& out_;
};

}  // namespace

parsed_model parse_model(std::string_view text) {
    parsed_model out;
    const std::string too_large =
        "must be at most " + std::to_string(model_text_size_max) + " bytes";
    if (text.size() > model_text_size_max) {
        out.errors.push_back({"#", "too_large", too_large});
        return out;
    }
    detail::json_reader reader(text);
    detail::model_text read;
    detail::model_reader(reader, out.errors).read(read);
    reader.finish();
    out.syntax = detail::syntax_of(reader);
    if (reader.failed()) out.errors.clear();
    if (reader.failed() || !out.errors.empty()) return out;
    model_builder(out).build(std::move(read));
    if (out.ok() && to_json(*out.orders, *out.statuses).size() > model_text_size_max) {
        out.errors.push_back({"#", "too_large", too_large + " in its canonical form"});
    }
    if (!out.errors.empty()) {
        out.orders.reset();
        out.statuses.reset();
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
