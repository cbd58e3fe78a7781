#include "cli/values.hpp"

#include "cli/exposure_settings.hpp"
#include "cli/limit_settings.hpp"
#include "cli/refusal.hpp"
#include "cli/storage_settings.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/runtime.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace orderproc;
using namespace orderproc::server;
namespace data = boost::unit_test::data;

namespace {

struct endpoint_row {
    const char* text;
    const char* host;  // empty: refused
    std::uint16_t port;
    bool loopback;
};
std::ostream& operator<<(std::ostream& out, const endpoint_row& it) {
    return out << it.text;
}

const endpoint_row endpoints[] = {
    {"127.0.0.1:8000", "127.0.0.1", 8000, true},
    {":0", "127.0.0.1", 0, true},
    {"0.0.0.0:80", "0.0.0.0", 80, false},
    {"[::1]:65535", "::1", 65535, true},
    {"[::]:1", "::", 1, false},
    {"127.0.0.1", "", 0, false},
    {"localhost:80", "", 0, false},
    {"127.0.0.1:65536", "", 0, false},
    {"127.0.0.1:-1", "", 0, false},
    {"127.0.0.1:", "", 0, false},
    {"::1:80", "", 0, false},
    {"[::1:80", "", 0, false},
    {"127.0.0.1:80x", "", 0, false},
    {"256.0.0.1:80", "", 0, false},
};

}  // namespace

BOOST_DATA_TEST_CASE(endpoints_are_numeric_addresses, data::make(endpoints), row) {
    const auto read = parse_endpoint(row.text);
    BOOST_TEST_REQUIRE(read.has_value() == (*row.host != '\0'));
    if (!read) return;
    BOOST_TEST(read->host == row.host);
    BOOST_TEST(read->port == row.port);
    BOOST_TEST(read->loopback() == row.loopback);
}

BOOST_AUTO_TEST_CASE(an_unknown_storage_or_processor_is_refused_by_name) {
    outgoing_calls calls;
    for (const char* url : {"", "sqlite", "sqlite:", "mysql://x", "memory"}) {
        const auto opened = storage_settings{.url = url}.open();
        BOOST_TEST_REQUIRE(!opened);
        BOOST_TEST((opened.error().code == errc::invalid_argument));
    }
    for (const char* text : {"", "simulate", "simulate:", "simulate:soon", "exec"}) {
        const auto made = make_named_processor(text, "complete", 0, order_model::standard(), calls);
        BOOST_TEST_REQUIRE(!made);
        BOOST_TEST((made.error().code == errc::invalid_argument));
    }
    BOOST_TEST(storage_settings{.url = "memory:"}.open().has_value());
    BOOST_TEST(make_named_processor("simulate:0", "complete", 0, order_model::standard(), calls)
                   .has_value());
}

BOOST_AUTO_TEST_CASE(modes_of_files) {
    BOOST_TEST(parse_file_mode("0600").value() == 0600U);
    BOOST_TEST(parse_file_mode("640").value() == 0640U);
    BOOST_TEST(parse_file_mode("0777").value() == 0777U);
    for (const char* text : {"", "0400", "0800", "u+rw", "07777", "00600", "-600", "0600 "}) {
        BOOST_TEST(!parse_file_mode(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(a_command_is_split_as_a_shell_splits_it) {
    using words = std::vector<std::string>;
    const std::pair<const char*, words> rows[] = {
        {"", {}},
        {"  a\tb\n c ", {"a", "b", "c"}},
        {"'/opt/my shop/run' --to 'it is' ''", {"/opt/my shop/run", "--to", "it is", ""}},
        {"a\"b c\"'d e'f", {"ab cd ef"}},
        {R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
        {R"('a\b')", {R"(a\b)"}},
        {R"(a\ b \" \\)", {"a b", "\"", "\\"}},
        {"$HOME *", {"$HOME", "*"}}};
    for (const auto& [text, expected] : rows) {
        const auto got = split_words(text);
        BOOST_TEST_REQUIRE(got.has_value(), text);
        BOOST_TEST(*got == expected, boost::test_tools::per_element());
    }
    for (const char* text : {"'", "a \"b", "\"a\\\"", "a\\"}) {
        const auto got = split_words(text);
        BOOST_TEST_REQUIRE(!got.has_value(), text);
        BOOST_TEST((got.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(no_secret_is_repeated) {
    const std::pair<const char*, const char*> rows[] = {
        {"plain text", "plain text"},
        {"\"amqp://u:tOpSeCrEt@h/v\" is wrong", "\"amqp://…@h/v\" is wrong"},
        {"http://tOpSeCrEt@h", "http://…@h"},
        {"\"http://u:tOp/SeCrEt@h\"", "\"http://…@h\""},
        {"\"http://u:tOp SeCrEt@h\"", "\"http://…@h\""},
        {"\"http://u:tOp\"SeCrEt@h\"", "\"http://…@h\""},
        {"\"http://u:tOp@SeCrEt@h\"", "\"http://…@h\""},
        {"\"http:/u:tOpSeCrEt@h\"", "\"http:…@h\""},
        {"\"u:tOpSeCrEt@h\"", "\"u:…@h\""},
        {"http://u:tOpSeCrEt@h http://u:tOpSeCrEt@i", "http://…@i"},
        {"\"http://h/p?key=tOpSeCrEt\" is wrong", "\"http://h/p?…\" is wrong"},
        {"http://h/p?key=tOp SeCrEt", "http://h/p?…"},
        {"\"http:u:tOpSeCrEt@h\" is not http://h", "\"http:…@h\" is not http://h"},
        {"\"http:h?key=tOpSeCrEt\" is not http://h", "\"http:h?…\" is not http://h"},
        {"h:80: refused\nIs it running?", "h:80: refused\nIs it running?"},
        {"is it joe@host?", "is it joe@host?"}};
    for (const auto& [text, expected] : rows) BOOST_TEST(without_secrets(text) == expected);
}

BOOST_AUTO_TEST_CASE(a_refusal_names_its_option) {
    const auto wrong = duration_option("--lease", "soon");
    BOOST_TEST(wrong.error().detail.starts_with("--lease: \"soon\""), wrong.error().detail);
    const auto low = duration_option("--lease", "5ms", std::chrono::milliseconds(100));
    BOOST_TEST(low.error().detail == "--lease: 5ms is not within 100ms and a year");
    BOOST_TEST(!duration_option("--lease", "9000h").has_value());
    BOOST_TEST(duration_option("--lease", "8760h").has_value());
    BOOST_TEST(duration_option("--lease", "100ms", std::chrono::milliseconds(100)).has_value());
}

BOOST_AUTO_TEST_CASE(other_machines_are_let_in_only_by_admission) {
    exposure_settings none, half, both;
    half.insecure_http = both.insecure_http = both.insecure_no_auth = true;
    for (const char* loopback : {"127.0.0.1:0", "[::1]:0", ":0"}) {
        BOOST_TEST(none.admits("--listen", loopback, false, "--processor", false).has_value());
        BOOST_TEST(none.admits_strangers("--listen", loopback, false).has_value());
    }
    for (const char* open : {"0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:127.0.0.1]:0"}) {
        const auto in_clear = none.admits("--admin-listen", open);
        BOOST_TEST_REQUIRE(!in_clear.has_value(), open);
        const auto keyless = half.admits_strangers("--admin-listen", open, false);
        BOOST_TEST_REQUIRE(!keyless.has_value(), open);
        for (const auto& refused : {in_clear, keyless}) {
            BOOST_TEST(refused.error().detail.starts_with("--admin-listen: "));
            BOOST_TEST(refused.error().detail.find("orderproc keys create") != std::string::npos);
            BOOST_TEST(refused.error().detail.find("--insecure-no-auth") != std::string::npos);
        }
        BOOST_TEST(in_clear.error().detail.find("--insecure-http") != std::string::npos);
        BOOST_TEST(half.admits("--admin-listen", open).has_value());
        BOOST_TEST(none.admits("--admin-listen", open, true).has_value());
        BOOST_TEST(half.admits_strangers("--admin-listen", open, true).has_value());
        BOOST_TEST(both.admits_strangers("--admin-listen", open, false).has_value());
        BOOST_TEST(both.admits("--admin-listen", open).has_value());
        BOOST_TEST(!both.admits("--listen", open, false, "--processor", false).has_value());
    }
    BOOST_TEST(!both.admits("--listen", "localhost:1").has_value());
}

BOOST_AUTO_TEST_CASE(rates) {
    BOOST_TEST(parse_rate("100")->per_second == 100);
    BOOST_TEST(parse_rate("100")->burst == 100U);
    BOOST_TEST(parse_rate("0.5")->burst == 1U);
    BOOST_TEST(parse_rate("2.5")->burst == 3U);
    BOOST_TEST(parse_rate("0.5:20")->per_second == 0.5);
    BOOST_TEST(parse_rate("0.5:20")->burst == 20U);
    for (const char* text : {"", "x", "0", "-1", "nan", "inf", "1:", "1:0", "1:-1", "1:1.5", ":5",
                             "1e7", "1:1000001", "1 ", "1:5x", "1/s"}) {
        BOOST_TEST(!parse_rate(text), text);
    }
}

BOOST_AUTO_TEST_CASE(limits_become_options) {
    limit_settings it;
    BOOST_TEST(!it.options()->admits.limit);
    it.rate_limit = "10";
    it.trusted_proxies = {"10.0.0.0/8", "::1"};
    it.idle_timeout = "7s";
    const auto out = it.options().value();
    BOOST_TEST(out.admits.limit->burst == 10U);
    BOOST_TEST(out.admits.trusted_proxies.size() == 2U);
    BOOST_TEST(out.idle_timeout.count() == 7000);
    BOOST_TEST(out.limits.large_path == "/orders/batch");
    for (std::string limit_settings::*text :
         {&limit_settings::rate_limit, &limit_settings::header_timeout,
          &limit_settings::write_timeout}) {
        limit_settings bad;
        bad.*text = "0";
        BOOST_TEST((bad.options().error().code == errc::invalid_argument));
    }
    it.trusted_proxies = {"10.0.0.0/33"};
    BOOST_TEST(!it.options());
}

// At seven eighths of the queue writes are turned away; who only looks never is.
BOOST_AUTO_TEST_CASE(a_nearly_full_queue_sheds_what_writes) {
    struct : completion {
        void complete(change_outcome&) noexcept override {}
    } waiting[7];
    const auto store = make_memory_storage();
    engine_options by_hand;
    by_hand.threads = 0;
    engine orders(*store, status_machine::standard(), system_runtime(), by_hand);
    limit_settings settings;
    settings.queue = 8;
    const auto sheds = settings.shedding(orders);
    http::request post;
    post.method = "POST";
    for (completion& it : waiting) {
        BOOST_TEST(!sheds(post));
        BOOST_TEST(orders.submit(command{raise_event{"a", "cancel", ""}, {}, {}, {}, "", ""}, it)
                       .has_value());
    }
    BOOST_TEST(sheds(post));
    for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
        http::request looks;
        looks.method = method;
        BOOST_TEST(!sheds(looks));
    }
    while (orders.run_once().value() > 0) continue;
    BOOST_TEST(!sheds(post));
}
