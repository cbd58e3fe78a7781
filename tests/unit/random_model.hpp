#ifndef ORDERPROC_TESTS_UNIT_RANDOM_MODEL_HPP
#define ORDERPROC_TESTS_UNIT_RANDOM_MODEL_HPP

// Order models and orders of any kind, for tests and fuzzers that want all there can be.

#include <orderproc/order_model.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::testing {

// Makes what the choices say: choose(n) is one of 0 to n - 1.
class random_models {
public:
    explicit random_models(std::function<std::uint64_t(std::uint64_t)> choose)
        : choose_(std::move(choose)) {}

    order_rules rules() {
        order_rules out;
        out.items = one_of(items_form::item_ids, items_form::lines);
        out.user = choose_(5) == 0 ? user_form::none : one_of(user_form::integer, user_form::text);
        out.guests = out.user != user_form::none && flip();
        out.ids = one_of(id_form::plain, id_form::any);
        out.tenants = flip();
        const std::uint64_t size = choose_(7);
        for (std::uint64_t i = 0; i < size; ++i) {
            out.attributes.push_back(attribute("a" + std::to_string((i * 5) % 7), out.tenants));
        }
        if (out.items == items_form::lines && flip()) add_total(out);
        return out;
    }

    // A new order that keeps the rules.
    order_content content(const order_model& model) {
        const order_rules& rules = model.rules();
        order_content out;
        out.total_amount = {amount_of(1'000'000).minor_units, currency()};
        const bool guest = rules.user == user_form::none || (rules.guests && flip());
        if (!guest && rules.user == user_form::integer) out.user = std::to_string(1 + choose_(999));
        if (!guest && rules.user == user_form::text) out.user = flip() ? "17" : text(1, 64);
        if (rules.items == items_form::lines) {
            add_lines(rules.total.has_value(), out);
        } else {
            for (std::uint64_t i = 0; i <= choose_(3); ++i) {
                out.item_ids.push_back(static_cast<std::int64_t>(1 + choose_(1000)));
            }
        }
        out.metadata = object();
        if (flip()) out.annotations = object();
        if (rules.tenants) out.tenant = text(1, 64);
        for (const attribute_rule* const rule : model.attributes()) {
            if (rule->required || flip()) out.attributes.push_back({rule->name, value(*rule)});
        }
        model.complete(out);
        if (rules.total) set_total(rules, out);
        return out;
    }

    order_id id(const order_model& model) {
        const bool any = model.rules().ids == id_form::any && flip();
        return order_id::parse(any ? "a/b \xC3\xA9" + std::to_string(choose_(100))
                                   : "ORD-" + std::to_string(choose_(100)))
            .value();
    }

private:
    bool flip() { return choose_(2) == 1; }
    template <class T>
    T one_of(T a, T b) {
        return flip() ? a : b;
    }
    currency_code currency() {
        constexpr currency_code all[] = {"USD", "JPY", "KWD"};
        return all[choose_(3)];
    }
    amount amount_of(std::uint64_t most) { return {static_cast<std::int64_t>(choose_(most + 1))}; }

    std::string text(std::size_t least, std::size_t most,
                     text_characters characters = text_characters::any) {
        static constexpr std::string_view digits = "0123456789";
        static constexpr std::string_view any = "aZ09._:- /\"\\~'{}";
        const std::string_view from = characters == text_characters::digits ? digits
                                      : characters == text_characters::alphanumeric
                                          ? any.substr(0, 4)
                                      : characters == text_characters::token ? any.substr(0, 8)
                                                                             : any;
        const std::size_t size = least + choose_(std::min<std::size_t>(most - least, 12) + 1);
        std::string out;
        if (characters == text_characters::any && size >= 2 && flip()) out = "\xC3\xA9";
        while (out.size() < size) out += from[choose_(from.size())];
        return out;
    }

    std::string object() {
        static const char* const all[] = {"{}", R"({"a":[1,null,{"b":"c"}]})",
                                          R"({"\u0041":1e2,"status":"x"})", R"({ "n" : -0 })"};
        return all[choose_(4)];
    }

    attribute_rule attribute(std::string name, bool tenants) {
        attribute_rule out;
        out.name = std::move(name);
        out.type = static_cast<attribute_type>(choose_(6));
        out.edits = static_cast<attribute_edits>(choose_(3));
        out.indexed = flip();
        if (out.type == attribute_type::text) {
            out.characters = static_cast<text_characters>(choose_(5));
            out.size_min = choose_(3);
            out.size_max = out.size_min + choose_(40);
        } else if (out.type == attribute_type::integer) {
            out.minimum = -static_cast<std::int64_t>(choose_(100));
            out.maximum = static_cast<std::int64_t>(choose_(100));
        } else if (out.type == attribute_type::amount) {
            out.minimum = static_cast<std::int64_t>(choose_(10));
            out.maximum = out.minimum + static_cast<std::int64_t>(choose_(100'000));
        } else if (out.type == attribute_type::choice) {
            out.choices = {"red", "\"green\"", "b\xC3\xA4"};
            out.choices.resize(1 + choose_(3));
        }
        out.required = flip();
        if (!out.required && flip()) out.default_value = value(out);
        if (out.indexed && !out.default_value && flip()) {
            out.unique = tenants ? attribute_unique::in_tenant : attribute_unique::everywhere;
        }
        out.personal = !out.required && out.unique == attribute_unique::no && flip();
        return out;
    }

    attribute_value value(const attribute_rule& rule) {
        const auto between = [&](std::int64_t least, std::int64_t most) {
            return least +
                   static_cast<std::int64_t>(choose_(static_cast<std::uint64_t>(most - least) + 1));
        };
        switch (rule.type) {
            case attribute_type::text:
                return text(rule.size_min, rule.size_max, rule.characters);
            case attribute_type::integer:
                return between(rule.minimum, rule.maximum);
            case attribute_type::amount:
                return amount{between(std::max<std::int64_t>(rule.minimum, 0), rule.maximum)};
            case attribute_type::boolean:
                return flip();
            case attribute_type::time:
                return timestamp(std::chrono::milliseconds(choose_(4'000'000'000'000)));
            case attribute_type::choice:
                break;
        }
        return rule.choices[choose_(rule.choices.size())];
    }

    void add_total(order_rules& to) {
        to.total.emplace();
        for (attribute_rule& it : to.attributes) {
            if (it.type != attribute_type::amount || flip()) continue;
            if (it.edits == attribute_edits::always) it.edits = attribute_edits::until_work;
            it.personal = false;
            (flip() ? to.total->added : to.total->subtracted).push_back(it.name);
        }
    }

    void add_lines(bool priced, order_content& to) {
        for (std::uint64_t i = 0; i <= choose_(3); ++i) {
            order_line it;
            it.sku = text(1, 64);
            it.quantity = static_cast<std::int64_t>(1 + choose_(1'000));
            if (priced || flip()) it.unit_amount = amount_of(1'000'000);
            if (flip()) it.name = text(0, 256);
            to.lines.push_back(std::move(it));
        }
    }

    // Lines that cost enough for what is subtracted, and their sum.
    void set_total(const order_rules& rules, order_content& to) {
        to.lines.front().unit_amount = amount{10'000'000};
        std::int64_t sum = 0;
        for (const order_line& it : to.lines) sum += it.quantity * it.unit_amount->minor_units;
        for (const order_attribute& it : to.attributes) {
            const auto in = [&](const std::vector<std::string>& names) {
                return std::find(names.begin(), names.end(), it.name) != names.end();
            };
            if (in(rules.total->added)) sum += std::get<amount>(it.value).minor_units;
            if (in(rules.total->subtracted)) sum -= std::get<amount>(it.value).minor_units;
        }
        to.total_amount.minor_units = sum;
    }

    std::function<std::uint64_t(std::uint64_t)> choose_;
};

}  // namespace orderproc::testing

#endif
