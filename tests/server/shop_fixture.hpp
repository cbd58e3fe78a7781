#ifndef ORDERPROC_TESTS_SERVER_SHOP_FIXTURE_HPP
#define ORDERPROC_TESTS_SERVER_SHOP_FIXTURE_HPP

// The handlers over the orders of a marketplace: lines, tenants, ids of any form, and attributes of
// which some are indexed and one is unique.

#include "api_fixture.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

inline attribute_rule shop_attribute(std::string name, attribute_type type, bool indexed = false) {
    attribute_rule out;
    out.name = std::move(name);
    out.type = type;
    out.indexed = indexed;
    if (indexed && type == attribute_type::text) out.size_max = 32;
    return out;
}

inline order_rules shop_rules() {
    order_rules out;
    out.items = items_form::lines;
    out.user = user_form::text;
    out.guests = true;
    out.ids = id_form::any;
    out.tenants = true;
    attribute_rule reference = shop_attribute("reference", attribute_type::text, true);
    reference.required = true;
    reference.edits = attribute_edits::never;
    reference.characters = text_characters::token;
    reference.unique = attribute_unique::in_tenant;
    attribute_rule channel = shop_attribute("channel", attribute_type::choice, true);
    channel.choices = {"web", "shop"};
    channel.default_value = std::string("web");
    attribute_rule rank = shop_attribute("rank", attribute_type::integer, true);
    rank.minimum = -100;
    rank.maximum = 100;
    attribute_rule email = shop_attribute("email", attribute_type::text);
    email.personal = true;
    attribute_rule tracking = shop_attribute("tracking", attribute_type::text, true);
    tracking.edits = attribute_edits::always;
    attribute_rule refunded = shop_attribute("refunded", attribute_type::amount, true);
    refunded.edits = attribute_edits::always;
    out.attributes = {reference,
                      channel,
                      rank,
                      shop_attribute("gift", attribute_type::boolean, true),
                      shop_attribute("due_on", attribute_type::time, true),
                      shop_attribute("tax", attribute_type::amount),
                      email,
                      tracking,
                      refunded};
    out.total = total_rule{{"tax"}, {}};
    return out;
}

inline const order_model& shop_model() {
    static const order_model out = order_model::build(shop_rules()).value();
    return out;
}

inline const documentation& shop_document() {
    static const documentation out{shop_model()};
    return out;
}

struct shop_fixture : api_fixture {
    shop_fixture() : api_fixture(shop_model(), shop_document()) {}

    // An order of 12.00 with one of its attributes, and whatever is to stand beside.
    static std::string draft(std::string_view reference, std::string_view attributes = {},
                             std::string_view members = {}) {
        const bool names_user = members.find(R"("user_id")") != members.npos;
        std::string out = names_user ? "{" : R"({"user_id":"17",)";
        out += R"("lines":[{"sku":"TEA","quantity":2,"unit_amount":5.50}],)"
               R"("total_amount":12.00,"tenant":"north",)"
               R"("attributes":{"tax":1.00,"reference":")";
        out.append(reference).append("\"");
        if (!attributes.empty()) out.append(",").append(attributes);
        out.append("}");
        if (!members.empty()) out.append(",").append(members);
        return out + "}";
    }
    answer post(std::string_view reference, std::string_view attributes = {},
                std::string_view members = {}) {
        time.advance(std::chrono::milliseconds(1));
        return ask("POST", "/orders", draft(reference, attributes, members));
    }
    answer annotate(std::string_view id, std::string_view body,
                    std::vector<http::field> more = {}) {
        more.push_back({"Content-Type", "application/merge-patch+json"});
        return ask("PATCH", "/orders/" + std::string(id) + "/annotations", body, std::move(more));
    }

    // The references of a page, one after the other.
    static std::string references(const answer& page) {
        std::string out;
        constexpr std::string_view name = R"("reference":")";
        for (std::size_t at = page.body.find(name); at != page.body.npos;
             at = page.body.find(name, at + 1)) {
            const std::size_t from = at + name.size();
            if (!out.empty()) out += ' ';
            out += page.body.substr(from, page.body.find('"', from) - from);
        }
        return out;
    }
    // Of all pages, each of two orders at most.
    std::string listed(std::string_view query) {
        std::string out;
        std::string next;
        for (int pages = 0; pages < 20; ++pages) {
            const answer page = get("/orders?" + std::string(query) + "&limit=2" + next);
            BOOST_REQUIRE_EQUAL(page.status, 200);
            const std::string found = references(page);
            if (!out.empty() && !found.empty()) out += ' ';
            out += found;
            constexpr std::string_view name = R"("next_cursor":")";
            const std::size_t at = page.body.find(name);
            if (at == page.body.npos) return out;
            const std::size_t from = at + name.size();
            next = "&cursor=" + page.body.substr(from, page.body.find('"', from) - from);
        }
        return out + " …";
    }
};

}  // namespace orderproc::server::testing

#endif
