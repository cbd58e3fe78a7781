#include "api/list_query.hpp"

#include <boost/test/unit_test.hpp>

using namespace orderproc;
using namespace orderproc::server;

namespace {

const list_position position{timestamp(std::chrono::milliseconds(1781533391326)), 4711};

list_query some_query() {
    list_query out;
    out.statuses = {"FAILED", "PENDING"};
    out.scope.user = "7";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(cursors_come_back) {
    const list_query query = some_query();
    for (const list_position& at :
         {position, list_position{timestamp(), 1}, list_position{timestamp::min(), INT64_MAX - 1},
          list_position{timestamp::max(), 1}}) {
        const std::string cursor = make_cursor(query, at);
        BOOST_TEST(cursor.size() == 34U);
        const auto back = read_cursor(query, cursor);
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST((back->at == at.at));
        BOOST_TEST(back->number == at.number);
    }
}

BOOST_AUTO_TEST_CASE(a_cursor_belongs_to_its_filters) {
    const std::string cursor = make_cursor(some_query(), position);
    list_query other = some_query();
    other.limit = 99;
    BOOST_TEST(read_cursor(other, cursor).has_value());

    other = some_query();
    other.statuses.pop_back();
    BOOST_TEST(!read_cursor(other, cursor));
    other = some_query();
    other.scope.user.reset();
    BOOST_TEST(!read_cursor(other, cursor));
    other = some_query();
    other.descending = false;
    BOOST_TEST(!read_cursor(other, cursor));
    other = some_query();
    other.created_from = timestamp();
    BOOST_TEST(!read_cursor(other, cursor));
    std::swap(other.created_from, other.created_until);
    BOOST_TEST(!read_cursor(other, cursor));
    other = some_query();
    other.id_prefix = "A";
    BOOST_TEST(!read_cursor(other, cursor));
    for (const list_sort sort : {list_sort::order_id, list_sort::due_at}) {
        other = some_query();
        other.sort = sort;
        BOOST_TEST(!read_cursor(other, cursor));
    }
    other = some_query();
    other.id_prefix = "A";
    const std::string of_prefix = make_cursor(other, position);
    other.sort = list_sort::due_at;
    BOOST_TEST(!read_cursor(other, of_prefix));
    other = some_query();
    other.updated_from = timestamp();
    BOOST_TEST(!read_cursor(other, cursor));
    BOOST_TEST(!read_change_cursor(other, cursor));
}

// Clients may be between two pages while the server is replaced.
BOOST_AUTO_TEST_CASE(cursors_of_version_0_2_are_still_good) {
    BOOST_TEST(make_cursor(some_query(), position) == "AQAAAZ7LqjneAAAAAAAAEmcZg8d-EkcsEA");
}

BOOST_AUTO_TEST_CASE(cursors_of_other_sorts_come_back) {
    list_query query = some_query();
    query.sort = list_sort::order_id;
    for (const std::string& id : {std::string("A"), std::string(order_id::size_max, 'z')}) {
        const auto back = read_cursor(query, make_cursor(query, list_position{{}, 0, id}));
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST(back->id == id);
    }
    query.sort = list_sort::due_at;
    BOOST_TEST(read_cursor(query, make_cursor(query, position))->number == position.number);
    query = some_query();
    query.updated_from = timestamp();
    const feed_position at{~std::uint64_t{0}, 4711};
    const std::string cursor = make_cursor(query, at);
    BOOST_TEST((read_change_cursor(query, cursor) == at));
    query.updated_from = timestamp(std::chrono::milliseconds(1));
    BOOST_TEST(!read_change_cursor(query, cursor));
    BOOST_TEST(!read_change_cursor(query, ""));
}

BOOST_AUTO_TEST_CASE(a_cursor_outside_of_the_list_is_none) {
    list_query query = some_query();
    query.sort = list_sort::order_id;
    query.id_prefix = "A";
    for (const char* id : {"B", "@", ""}) {
        BOOST_TEST(!read_cursor(query, make_cursor(query, list_position{{}, 0, id})));
    }
    query = some_query();
    for (const std::int64_t number : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
        const list_position at{position.at, number, {}};
        BOOST_TEST(!read_cursor(query, make_cursor(query, at)));
    }
}

// The list is narrowed before its cursor is judged, or there would be no second page.
BOOST_AUTO_TEST_CASE(who_may_see_some_orders_gets_all_pages_of_them) {
    const caller by{std::make_shared<auth::principal>("key:a", auth::scopes_of_bound, "42")};
    const status_machine& machine = status_machine::standard();
    list_query first;
    BOOST_REQUIRE(!parse_list_query({}, {machine}, by, first));
    BOOST_TEST((first.scope == by.scope()));
    list_query second;
    const query_parameter cursor{"cursor", make_cursor(first, position)};
    BOOST_TEST(!parse_list_query({cursor}, {machine}, by, second));
    BOOST_TEST(second.after->number == position.number);
    list_query other;
    const auto refused = parse_list_query({{"user_id", "7"}}, {machine}, by, other);
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->name == "user_id");
}

BOOST_AUTO_TEST_CASE(a_cursor_that_was_changed_is_none) {
    const std::string cursor = make_cursor(some_query(), position);
    for (std::size_t i = 0; i < cursor.size(); ++i) {
        for (const char c : {'A', 'B', 'z', '9', '-', '_', '=', '+', '/', ' '}) {
            std::string changed = cursor;
            if (changed[i] == c) continue;
            changed[i] = c;
            BOOST_TEST(!read_cursor(some_query(), changed));
        }
    }
    BOOST_TEST(!read_cursor(some_query(), ""));
    BOOST_TEST(!read_cursor(some_query(), cursor.substr(1)));
    BOOST_TEST(!read_cursor(some_query(), cursor + "A"));
    BOOST_TEST(!read_cursor(some_query(), cursor + "="));
}

BOOST_AUTO_TEST_CASE(statuses_are_sorted_and_each_once) {
    list_query query;
    const auto parameters = parse_query("status=pending,FAILED&status=PENDING");
    BOOST_REQUIRE(parameters.has_value());
    BOOST_TEST(!parse_list_query(*parameters, {status_machine::standard()}, {}, query));
    BOOST_TEST((query.statuses == std::vector<order_status>{"FAILED", "PENDING"}));
}

BOOST_AUTO_TEST_CASE(percent_decoding_is_strict) {
    BOOST_TEST(percent_decode("a%20b%41%7e").value() == "a bA~");
    BOOST_TEST(percent_decode("a+b").value() == "a+b");
    BOOST_TEST(percent_decode("%00").value() == std::string(1, '\0'));
    for (const char* bad : {"%", "a%", "%4", "%4g", "%g4", "%%41", "%-1", "% 1"}) {
        BOOST_TEST(!percent_decode(bad), bad);
    }
}

BOOST_AUTO_TEST_CASE(what_is_encoded_is_decoded) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    std::string encoded;
    percent_encode(all, encoded);
    BOOST_TEST(percent_decode(encoded).value() == all);
    BOOST_TEST(encoded.find_first_of(" <>\"&=+#?\r\n") == encoded.npos);
}
