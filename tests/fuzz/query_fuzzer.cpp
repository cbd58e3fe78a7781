// Queries, cursors, times, and what Accept and X-Forwarded-For say. The first line is a query,
// the second a cursor, the rest field values.

#include "api/list_query.hpp"
#include "api/negotiation.hpp"
#include "fuzz.hpp"
#include "http/client_address.hpp"

#include <orderproc/timestamp.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;

namespace {

bool same(const std::vector<query_parameter>& a, const std::vector<query_parameter>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].name != b[i].name || a[i].value != b[i].value) return false;
    }
    return true;
}

// With attributes of all kinds that lists can be asked for.
const order_model& indexed() {
    static const order_model it = [] {
        order_rules rules;
        rules.tenants = true;
        constexpr attribute_type types[] = {attribute_type::text,   attribute_type::integer,
                                            attribute_type::amount, attribute_type::boolean,
                                            attribute_type::time,   attribute_type::choice};
        std::string name = "a";
        for (const attribute_type type : types) {
            attribute_rule rule{name, type};
            rule.indexed = true;
            if (type == attribute_type::text) rule.size_max = attribute_rule::indexed_text_size_max;
            if (type == attribute_type::choice) rule.choices = {"red", "green"};
            rules.attributes.push_back(rule);
            ++name[0];
        }
        return order_model::build(rules).value();
    }();
    return it;
}

void check_query(std::string_view text, std::string_view cursor) {
    const auto parameters = parse_query(text);
    if (!parameters) return;
    std::string written;
    for (const query_parameter& it : *parameters) {
        if (!written.empty()) written += '&';
        percent_encode(it.name, written);
        written += '=';
        percent_encode(it.value, written);
        if (const auto time = parse_timestamp(it.value)) {
            const auto same_time = parse_timestamp(to_string(*time));
            ORDERPROC_EXPECT(same_time && *same_time == *time);
        }
    }
    const auto again = parse_query(written);
    ORDERPROC_EXPECT(again && same(*again, *parameters));
    for (const bool fixed : {false, true}) {
        list_query query;
        list_resource of{status_machine::standard(), indexed()};
        if (fixed) of.status = status_machine::standard().statuses()[0];
        if (parse_list_query(*parameters, of, {}, query) || query.order_id) continue;
        ORDERPROC_EXPECT(query.limit >= 1 && query.limit <= 100);
        list_position at;
        if (query.sort == list_sort::order_id) {
            at.id = query.id_prefix;
            at.id +=
                cursor.substr(0, order_id::size_max - std::min(at.id.size(), order_id::size_max));
        } else if (query.sort == list_sort::index) {
            if (query.index->from > query.index->to) continue;  // no value is between them
            at.value = query.index->from;
            at.number = static_cast<std::int64_t>(cursor.size()) + 1;
        } else {
            at.number = static_cast<std::int64_t>(cursor.size()) + 1;
        }
        const auto back = read_cursor(query, make_cursor(query, at));
        ORDERPROC_EXPECT(back && back->number == at.number && back->at == at.at);
        ORDERPROC_EXPECT(back->id == at.id && back->value == at.value);
        // Nothing that we did not write is a cursor, but for one that the fuzzer was given.
        if (const auto found = read_cursor(query, cursor)) {
            ORDERPROC_EXPECT(make_cursor(query, *found) == cursor);
        }
        if (const auto found = read_change_cursor(query, cursor)) {
            ORDERPROC_EXPECT(make_cursor(query, *found) == cursor);
        }
    }
}

void check_values(std::string_view value) {
    ORDERPROC_EXPECT(quality_of(value, "application/json") <= 1000);
    (void)prefers_prometheus(value);
    const auto range = http::address_range::parse(value);
    const std::array<http::field, 1> fields{{{"X-Forwarded-For", value}}};
    http::request in;
    in.fields = fields;
    http::address_ranges trusted{http::address_range::parse("10.0.0.0/8").value()};
    if (range) trusted.push_back(*range);
    const auto peer = http::bytes_of(boost::asio::ip::make_address("10.0.0.1"));
    const auto client = http::client_of(in, peer, trusted);
    ORDERPROC_EXPECT(!value.empty() || client == peer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = fuzz::text_of(data, size);
    const std::string_view query = fuzz::next_part(text, "\n");
    check_query(query, fuzz::next_part(text, "\n"));
    check_values(text);
    return 0;
}
