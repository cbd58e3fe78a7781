#include <orderproc/command.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

struct fixture {
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    runtime with{time, random, nobody};

    change made(command what) {
        return lower(std::move(what), status_machine::standard(), with).value();
    }
    change creating() { return made(testing::order_builder{}.id("A-1").submit()); }
    change editing() {
        return made(testing::edit("A-1", testing::order_builder{}.user(2).build()));
    }
    change cancelling() { return made(testing::raise("A-1", "cancel")); }
};

struct broken {
    std::string_view expected;
    std::function<change(fixture&)> make;
};
std::ostream& operator<<(std::ostream& out, const broken& it) {
    return out << it.expected;
}

template <class Break>
std::function<change(fixture&)> from(change (fixture::*make)(), Break breaks) {
    return [=](fixture& by) {
        change out = (by.*make)();
        breaks(out);
        return out;
    };
}

const std::vector<broken> all{
    {"the change names no order", from(&fixture::cancelling, [](change& it) { it.order.clear(); })},
    {"the change has no event", from(&fixture::cancelling, [](change& it) { it.event.clear(); })},
    {"actor must be UTF-8 without control characters",
     from(&fixture::cancelling, [](change& it) { it.actor = "a\nb"; })},
    {"traceparent must be printable ASCII",
     from(&fixture::cancelling, [](change& it) { it.traceparent = "\xc3\xa9"; })},
    {"reason must have at most 1024 bytes", from(&fixture::cancelling,
                                                 [](change& it) {
                                                     std::get<transition_order>(it.action).reason =
                                                         std::string(1025, 'x');
                                                 })},
    {"last_error must be UTF-8 without NUL",
     from(&fixture::cancelling,
          [](change& it) { std::get<transition_order>(it.action).last_error = "\xff"; })},
    {"transition_order: there is no status to go to",
     from(&fixture::cancelling,
          [](change& it) { std::get<transition_order>(it.action).to = order_status(); })},
    {"create_order: the id is not the change's order",
     from(&fixture::creating, [](change& it) { it.order = "A-2"; })},
    {"create_order: the id is not the change's order",
     from(&fixture::creating, [](change& it) { std::get<create_order>(it.action).value.id = {}; })},
    {"create_order: the order has no status",
     from(&fixture::creating,
          [](change& it) { std::get<create_order>(it.action).value.status = order_status(); })},
    {"user must be UTF-8 without control characters",
     from(&fixture::creating,
          [](change& it) { std::get<create_order>(it.action).value.user = "\n"; })},
    {"item_ids[0] must be 1 or more",
     from(&fixture::editing,
          [](change& it) { std::get<edit_order>(it.action).content.item_ids = {0}; })},
    {"transition_order: the event \"delete\" is no move",
     from(&fixture::cancelling, [](change& it) { it.event = "delete"; })},
    {"remove_order: the event is not \"delete\"",
     from(&fixture::cancelling, [](change& it) { it.action = remove_order{}; })},
    {"there is no idempotency key to look up",
     from(&fixture::cancelling, [](change& it) { it.action = look_up_key{}; })},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(changes_that_hosts_make, fixture)

BOOST_AUTO_TEST_CASE(what_lower_makes_holds) {
    for (const change& it : {creating(), editing(), cancelling(), made(testing::erase("A-1"))}) {
        BOOST_TEST(validate(it).has_value(), it.event);
    }
    change renewing = cancelling();
    renewing.action = renew_lease{time.now()};
    BOOST_TEST(validate(renewing).has_value());
}

BOOST_DATA_TEST_CASE(what_cannot_be_stored_is_refused, data::make(all), it) {
    const auto judged = validate(it.make(*this));
    BOOST_TEST_REQUIRE(!judged.has_value());
    BOOST_TEST(judged.error().code == make_error_code(errc::invalid_argument));
    BOOST_TEST(judged.error().detail == it.expected);
}

BOOST_AUTO_TEST_SUITE_END()
