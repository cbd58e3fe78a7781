#include <orderproc/cloud_event.hpp>
#include <orderproc/json.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

using namespace orderproc;

namespace {

journal_entry sample() {
    journal_entry it;
    it.position = {7, 42};
    it.version = order_version{3};
    it.event = "complete";
    it.from = order_status("PROCESSING");
    it.at = parse_timestamp("2026-06-15T14:23:13.528Z").value();
    it.after.number = 1;
    it.after.id = order_id::parse("ORD-A8F64D2E").value();
    it.after.user_id = 123;
    it.after.item_ids = {1001};
    it.after.total_amount = {14999, {'U', 'S', 'D'}};
    it.after.status = "COMPLETED";
    it.after.version = it.version;
    return it;
}

std::string text_of(const journal_entry& it) {
    std::string out;
    append_cloud_event(it, out);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_event_says_what_happened_and_the_order_after_it) {
    const journal_entry it = sample();
    BOOST_TEST(text_of(it) ==
               R"({"specversion":"1.0","id":"7-42","source":"/orderproc",)"
               R"("type":"orderproc.order.complete.v1","subject":"ORD-A8F64D2E",)"
               R"("time":"2026-06-15T14:23:13.528Z","datacontenttype":"application/json",)"
               R"("data":{"order_id":"ORD-A8F64D2E","event":"complete","from":"PROCESSING",)"
               R"("to":"COMPLETED","version":3,"reason":null,"order":)" +
                   to_json(it.after) + "}}");
}

BOOST_AUTO_TEST_CASE(texts_of_clients_are_escaped_and_the_trace_is_kept) {
    journal_entry it = sample();
    it.reason = "a \"reason\"\n";
    it.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const auto read = boost::json::parse(text_of(it)).as_object();
    BOOST_TEST(read.at("data").at("reason").as_string() == "a \"reason\"\n");
    BOOST_TEST(read.at("traceparent").as_string() == it.traceparent);
    BOOST_TEST(text_of(it).find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_creation_comes_from_nowhere_and_a_deletion_goes_there) {
    journal_entry it = sample();
    it.from.reset();
    it.event = "create";
    BOOST_TEST(boost::json::parse(text_of(it)).at("data").at("from").is_null());
    it.event = "delete";
    BOOST_TEST(boost::json::parse(text_of(it)).at("data").at("to").is_null());
}

BOOST_AUTO_TEST_CASE(positions_are_read_as_they_are_written) {
    const feed_position at{18446744073709551615U, 9};
    BOOST_TEST((parse_feed_position(to_string(at)) == at));
    BOOST_TEST((parse_feed_position("0") == feed_position{}));
    BOOST_TEST((parse_feed_position("3-0") == feed_position{3, 0}));
    for (const char* bad : {"", "-", "1", "1-", "-1", "01-1", "1-01", "1-1-1", " 1-1", "1-1 ",
                            "+1-1", "1--1", "18446744073709551616-1", "a-1", "1-0x1"}) {
        BOOST_TEST(!parse_feed_position(bad), bad);
    }
}
