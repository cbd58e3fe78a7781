#include "api/cursor_seal.hpp"

#include "api/list_query.hpp"
#include "http/base64url.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace orderproc;
using namespace orderproc::server;

namespace {

struct sealed_cursors {
    list_query list(list_sort sort, const cursor_seal* by) const {
        list_query out;
        out.scope.user = "7";
        out.sort = sort;
        out.seal = by;
        if (sort == list_sort::index) out.index = {3, "A", "z"};
        return out;
    }
    list_position at(list_sort sort) const {
        list_position out{timestamp(std::chrono::milliseconds(1781533391326)), 4711};
        if (sort == list_sort::order_id) out = {{}, 0, "OTHER-1"};
        if (sort == list_sort::index) out = {{}, 4711, {}, "OTHER-1"};
        return out;
    }

    const cursor_seal ours{std::string(cursor_seal::secret_size_min, 's')};
    const cursor_seal again{std::string(cursor_seal::secret_size_min, 's')};
    const cursor_seal theirs{std::string(cursor_seal::secret_size_min, 't')};
    const list_sort sorts[4] = {list_sort::created_at, list_sort::order_id, list_sort::due_at,
                                list_sort::index};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cursors_that_say_nothing, sealed_cursors)

BOOST_AUTO_TEST_CASE(whoever_has_the_secret_opens_them) {
    for (const list_sort sort : sorts) {
        const list_position is = at(sort);
        const std::string cursor = make_cursor(list(sort, &ours), is);
        const auto found = read_cursor(list(sort, &again), cursor);
        BOOST_REQUIRE(found.has_value());
        BOOST_TEST(found->number == is.number);
        BOOST_TEST(found->id == is.id);
        BOOST_TEST(found->value == is.value);
        BOOST_TEST((sort != list_sort::created_at || found->at == is.at));
        BOOST_TEST(!read_cursor(list(sort, &theirs), cursor));
        BOOST_TEST(!read_cursor(list(sort, nullptr), cursor));
        BOOST_TEST(!read_cursor(list(sort, &ours), make_cursor(list(sort, nullptr), is)));
        list_query other = list(sort, &ours);
        other.scope.user = "8";
        BOOST_TEST(!read_cursor(other, cursor));
    }
}

BOOST_AUTO_TEST_CASE(what_was_changed_is_none) {
    for (const list_sort sort : sorts) {
        const std::string cursor = make_cursor(list(sort, &ours), at(sort));
        for (std::size_t i = 0; i < cursor.size(); ++i) {
            std::string changed = cursor;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            BOOST_TEST(!read_cursor(list(sort, &ours), changed), changed);
        }
        BOOST_TEST(!read_cursor(list(sort, &ours), cursor.substr(0, cursor.size() - 1)));
        BOOST_TEST(!read_cursor(list(sort, &ours), cursor + "A"));
        BOOST_TEST(!read_cursor(list(sort, &ours), ""));
    }
}

// Not even how long the id or the value of an order is, or that two numbers are neighbours.
BOOST_AUTO_TEST_CASE(they_show_nothing) {
    const list_query by_id = list(list_sort::order_id, &ours);
    const std::string longest(order_id::size_max, 'x');
    const std::string one = make_cursor(by_id, {{}, 0, "A"});
    BOOST_TEST(one.size() == make_cursor(by_id, {{}, 0, longest}).size());
    const auto bytes = http::from_base64url(make_cursor(by_id, {{}, 0, "OTHER-1"})).value();
    BOOST_TEST(bytes.find("OTHER") == std::string::npos);
    std::set<std::string> beginnings, ends;
    for (std::int64_t number = 1; number <= 1000; ++number) {
        const std::string cursor =
            make_cursor(list(list_sort::created_at, &ours), {timestamp(), number});
        beginnings.insert(cursor.substr(2, 8));  // behind the version
        ends.insert(cursor.substr(cursor.size() - 8));
    }
    BOOST_TEST(beginnings.size() == 1000U);
    BOOST_TEST(ends.size() == 1000U);
}

BOOST_AUTO_TEST_CASE(any_content_comes_back) {
    for (const std::size_t size : {0, 1, 15, 16, 17, 209, 255}) {
        const std::string content(size, '\0');
        const std::string sealed = ours.seal("context", content, cursor_seal::content_size_max);
        BOOST_TEST((again.open("context", sealed) == content));
        BOOST_TEST(!again.open("other", sealed));
        BOOST_TEST(!again.open("context", sealed.substr(0, 16)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
