#include <orderproc/cloud_event.hpp>
#include <orderproc/json.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>
#include <vector>

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
    it.after.user = "123";
    it.after.item_ids = {1001};
    it.after.total_amount = {14999, "USD"};
    it.after.status = "COMPLETED";
    it.after.version = it.version;
    return it;
}

std::string text_of(const journal_entry& it) {
    std::string out;
    append_cloud_event(it, out);
    return out;
}

// The lines of a block of the document, without their indentation.
std::vector<std::string> documented(const std::string& from, const std::string& until) {
    std::ifstream in(ORDERPROC_ASYNCAPI);
    std::vector<std::string> out;
    std::string line;
    while (std::getline(in, line) && line.find(from) == line.npos) continue;
    while (std::getline(in, line) && line.find(until) == line.npos) {
        out.push_back(line.substr(line.find_first_not_of(' ')));
    }
    return out;
}

// The same in YAML: strings that look like something else are quoted.
void append_yaml(const boost::json::object& it, std::vector<std::string>& out) {
    for (const auto& [key, value] : it) {
        const std::string name(key);
        if (value.is_object() && !value.as_object().empty()) {
            out.push_back(name + ":");
            append_yaml(value.as_object(), out);
            continue;
        }
        std::string text = value.is_string() ? std::string(value.as_string()) : serialize(value);
        if (name == "specversion" || name == "time" || name.ends_with("_at")) {
            if (value.is_string()) text = "'" + text + "'";
        }
        if (name == "item_ids") text = "[1001, 1002, 1003]";
        if (name == "total_amount") text = "149.99";
        out.push_back(name + ": " + text);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_documented_example_is_what_is_published) {
    journal_entry it = sample();
    it.position = {1, 3};
    it.at = parse_timestamp("2026-06-15T14:23:13.376Z").value();
    it.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    it.after.item_ids = {1001, 1002, 1003};
    it.after.total_amount = {100, "USD"};
    it.after.attempts = 1;
    it.after.created_at = parse_timestamp("2026-06-15T14:23:11.326Z").value();
    it.after.updated_at = it.at;
    std::vector<std::string> published;
    append_yaml(boost::json::parse(text_of(it)).as_object(), published);
    const auto example = documented("          payload:", "  schemas:");
    BOOST_TEST(published == example, boost::test_tools::per_element());
}

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

BOOST_AUTO_TEST_CASE(a_source_is_a_uri_reference) {
    for (const char* good :
         {"/orderproc", "/shop/berlin", "shop", "urn:example:shop:1", "https://shop.example/orders",
          "//shop.example:8080/a?b=c#d", "https://user:x@shop.example/",
          "https://[2001:db8::1]:80/", "mailto:orders@shop.example", "#here", "?q", "a%20b",
          "./a:b", "/a//b", "http://:/"}) {
        BOOST_TEST(is_event_source(good), good);
    }
    for (const char* bad :
         {"",       " ",      "a b",       "/a\"b", "/a\\b",    "/a\nb", "/{id}",          "/<a>",
          "a%2",    "a%zz",   "1a:b",      "a:b c", ":a",       "#a#b",  "//[2001:db8::1", "//[]/",
          "//a:b/", "//a b/", "/\xc3\xa4", "/a[b]", "//[::1]x/"}) {
        BOOST_TEST(!is_event_source(bad), bad);
    }
    BOOST_TEST(is_event_source("/" + std::string(event_source_size_max - 1, 'a')));
    BOOST_TEST(!is_event_source("/" + std::string(event_source_size_max, 'a')));
}

BOOST_AUTO_TEST_CASE(an_event_says_where_it_comes_from) {
    std::string text;
    append_cloud_event(sample(), text, "urn:example:berlin");
    BOOST_TEST(boost::json::parse(text).at("source").as_string() == "urn:example:berlin");
    const auto format = cloud_events_of("/berlin").value();
    message one;
    format(sample(), one);
    message other;
    write_cloud_event(sample(), other);
    BOOST_TEST(boost::json::parse(one.payload).at("source").as_string() == "/berlin");
    BOOST_TEST(boost::json::parse(other.payload).at("source").as_string() == "/orderproc");
    BOOST_TEST(one.id == other.id);
    BOOST_TEST(one.content_type == cloud_event_media_type);
    BOOST_TEST(cloud_events_of("no reference").error().code ==
               make_error_code(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_event_of_an_order_of_a_model) {
    order_rules rules;
    rules.ids = id_form::any;
    rules.user = user_form::text;
    const order_model model = order_model::build(rules).value();
    journal_entry it = sample();
    it.after.id = order_id::parse("a\"b/\xC3\xA9").value();
    message out;
    cloud_events_of("/berlin", model).value()(it, out);
    const auto read = boost::json::parse(out.payload);
    BOOST_TEST(read.at("subject").as_string() == "a\"b/\xC3\xA9");
    BOOST_TEST(read.at_pointer("/data/order_id") == read.at("subject"));
    BOOST_TEST(read.at_pointer("/data/order/user_id").as_string() == "123");
}
