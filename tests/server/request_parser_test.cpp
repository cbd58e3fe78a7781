#include "http/request_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace orderproc::server::http;
using state = request_parser::state;

namespace {

const std::string header =
    "POST /orders?x=1&y HTTP/1.1\r\nHost: a:80\r\nX-Name:  a value \r\nX-Empty:\r\n"
    "Content-Length: 5\r\n\r\n";

struct fixture {
    // Feeds it in pieces of that size, keeping what was not consumed, as a connection does.
    state feed(std::string_view bytes, std::size_t piece) {
        std::string held;
        state now = state::need_more;
        for (std::size_t at = 0; at < bytes.size() && now == state::need_more; at += piece) {
            held.append(bytes.substr(at, piece));
            std::size_t used = 0;
            now = parser.feed(held, used);
            held.erase(0, used);
        }
        left = held;
        return now;
    }

    request_limits limits;
    request_parser parser{limits};
    std::string left;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(parser, fixture)

BOOST_AUTO_TEST_CASE(a_request_in_pieces_of_any_size) {
    for (std::size_t piece = 1; piece < header.size() + 8; ++piece) {
        parser.reset();
        BOOST_TEST((feed(header + "hello", piece) == state::complete));
        const request& got = parser.value();
        BOOST_TEST(got.method == "POST");
        BOOST_TEST(got.path == "/orders");
        BOOST_TEST(got.query == "x=1&y");
        BOOST_TEST(got.body == "hello");
        BOOST_TEST(got.fields.size() == 4U);
        BOOST_TEST(got.find("x-name") == "a value");
        BOOST_TEST(got.find("X-EMPTY") == "");
        BOOST_TEST(got.find("X") == "");
        BOOST_TEST(parser.keep_alive());
        BOOST_TEST(left.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_follows_is_left_alone) {
    const std::string bytes = header + "helloGET / HTTP/1.1\r\n";
    std::size_t used = 0;
    BOOST_TEST((parser.feed(bytes, used) == state::complete));
    BOOST_TEST(used == header.size() + 5);
    BOOST_TEST(parser.value().body == "hello");
}

BOOST_AUTO_TEST_CASE(a_header_is_not_consumed_before_it_is_whole) {
    std::size_t used = 7;
    BOOST_TEST((parser.feed(std::string_view(header).substr(0, 40), used) == state::need_more));
    BOOST_TEST(used == 0U);
    BOOST_TEST(!parser.header_done());
    BOOST_TEST((parser.feed(header, used) == state::need_more));
    BOOST_TEST(used == header.size());
    BOOST_TEST(parser.header_done());
}

BOOST_AUTO_TEST_CASE(one_path_takes_larger_bodies) {
    limits.body_size_max = 5;
    limits.large_path = "/large";
    limits.large_body_size_max = 7;
    const auto feed = [&](std::string_view path, std::size_t size, bool chunked) {
        std::string bytes = "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n";
        const std::string body(size, 'x');
        if (chunked) {
            bytes += "Transfer-Encoding: chunked\r\n\r\n" + std::to_string(size) + "\r\n" + body +
                     "\r\n0\r\n\r\n";
        } else {
            bytes += "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
        }
        request_parser fresh(limits);
        std::size_t used = 0;
        return fresh.feed(bytes, used);
    };
    for (const bool chunked : {false, true}) {
        BOOST_TEST((feed("/large", 7, chunked) == state::complete));
        BOOST_TEST((feed("/large?x", 7, chunked) == state::complete));
        BOOST_TEST((feed("/large", 8, chunked) == state::failed));
        BOOST_TEST((feed("/large/", 6, chunked) == state::failed));
        BOOST_TEST((feed("/", 5, chunked) == state::complete));
    }
}

BOOST_AUTO_TEST_CASE(limits_are_exact) {
    limits.header_size_max = 128;
    limits.target_size_max = 16;
    limits.fields_max = 2;
    limits.body_size_max = 5;
    const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const auto padded = [&](std::size_t size) {
        return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
    };
    const auto check = [&](const std::string& bytes, unsigned status) {
        for (const std::size_t piece : {std::size_t{1}, bytes.size()}) {
            request_parser fresh(limits);
            std::string held;
            state now = state::need_more;
            for (std::size_t at = 0; at < bytes.size() && now == state::need_more; at += piece) {
                held.append(bytes.substr(at, piece));
                std::size_t used = 0;
                now = fresh.feed(held, used);
                held.erase(0, used);
            }
            BOOST_TEST((now == state::complete) == (status == 0));
            if (now == state::failed) BOOST_TEST(fresh.fault().status == status);
        }
    };
    check(padded(128), 0);
    check(padded(129), 431);
    check("GET /2345678901234567 HTTP/1.0\r\n\r\n", 414);
    check("GET /234567890123456 HTTP/1.0\r\n\r\n", 0);
    check("GET / HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n", 0);
    check("GET / HTTP/1.0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n", 431);
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
    check(post + "Content-Length: 5\r\n\r\nhello", 0);
    check(post + "Content-Length: 6\r\n\r\nhello!", 413);
    check(post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0);
    check(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 0);
    check(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", 413);
}

BOOST_AUTO_TEST_CASE(targets) {
    const auto path_of = [&](std::string_view target) {
        parser.reset();
        std::size_t used = 0;
        const std::string bytes = "OPTIONS " + std::string(target) + " HTTP/1.0\r\n\r\n";
        if (parser.feed(bytes, used) == state::failed) return std::string("failed");
        return std::string(parser.value().path) + '|' + std::string(parser.value().query);
    };
    BOOST_TEST(path_of("/a?b?c") == "/a|b?c");
    BOOST_TEST(path_of("/a?") == "/a|");
    BOOST_TEST(path_of("*") == "*|");
    BOOST_TEST(path_of("http://a:80/b?c") == "/b|c");
    BOOST_TEST(path_of("http://a") == "/|");
    BOOST_TEST(path_of("/a://b") == "/a://b|");
    BOOST_TEST(path_of("//a") == "//a|");
    BOOST_TEST(path_of("a:80") == "failed");
    BOOST_TEST(path_of("**") == "failed");
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_the_last_request) {
    BOOST_TEST((feed("POST /a?b HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 100) ==
                state::complete));
    BOOST_TEST(!parser.keep_alive());
    parser.reset();
    BOOST_TEST(parser.value().path.empty());
    BOOST_TEST((feed("GET / HTTP/1.1\r\n\r\n", 100) == state::failed));  // no Host of its own
    parser.reset();
    BOOST_TEST((feed("GET / HTTP/1.1\r\nHost: b\r\n\r\n", 100) == state::complete));
    BOOST_TEST(parser.value().body.empty());
    BOOST_TEST(parser.value().query.empty());
    BOOST_TEST(parser.value().fields.size() == 1U);
    BOOST_TEST(parser.keep_alive());
}

BOOST_AUTO_TEST_CASE(an_expectation_is_told_once) {
    const std::string bytes =
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n";
    BOOST_TEST((feed(bytes, bytes.size()) == state::need_more));
    BOOST_TEST(parser.take_expectation());
    BOOST_TEST(!parser.take_expectation());
    parser.reset();
    // HTTP/1.0 clients do not know 100 (RFC 9110, 10.1.1).
    BOOST_TEST((feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", 100) ==
                state::need_more));
    BOOST_TEST(!parser.take_expectation());
}

BOOST_AUTO_TEST_CASE(it_can_stop_behind_the_header) {
    request_parser pausing(limits, true);
    std::size_t used = 0;
    BOOST_TEST((pausing.feed(header + "hello", used) == state::header));
    BOOST_TEST(used == header.size());
    BOOST_TEST(pausing.value().path == "/orders");
    BOOST_TEST(pausing.body_size_max() == 5U);
    BOOST_TEST((pausing.feed("hello", used) == state::complete));
    BOOST_TEST(pausing.value().body == "hello");
    pausing.reset();
    BOOST_TEST((pausing.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", used) == state::header));
    BOOST_TEST(pausing.body_size_max() == 0U);
    BOOST_TEST((pausing.feed("", used) == state::complete));  // if only nothing is left
    pausing.reset();
    const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    BOOST_TEST((pausing.feed(chunked, used) == state::header));
    BOOST_TEST(pausing.body_size_max() == limits.body_size_max);
}

BOOST_AUTO_TEST_CASE(a_body_can_be_skipped) {
    request_parser pausing(limits, true);
    std::size_t used = 0;
    BOOST_TEST((pausing.feed(header + "hello", used) == state::header));
    BOOST_TEST(!pausing.skipping());
    BOOST_TEST(pausing.skip_body());
    BOOST_TEST(pausing.skipping());
    BOOST_TEST((pausing.feed("he", used) == state::need_more));
    BOOST_TEST((pausing.feed("lloGET", used) == state::complete));
    BOOST_TEST(used == 3U);
    BOOST_TEST(pausing.value().body.empty());
    pausing.reset();
    BOOST_TEST(!pausing.skipping());
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
    for (const char* fields : {"Transfer-Encoding: chunked\r\n", "Content-Length: 65537\r\n",
                               "Content-Length: 1\r\nExpect: 100-continue\r\n"}) {
        pausing.reset();
        BOOST_TEST((pausing.feed(post + fields + "\r\n", used) == state::header));
        BOOST_TEST(!pausing.skip_body(), fields);
    }
}

// Found by fuzzing: Beast takes anything within quotes, if it arrives whole.
BOOST_AUTO_TEST_CASE(chunk_extensions_have_no_control_characters) {
    const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& text :
         {std::string("\n"), std::string("\r"), std::string(1, '\0'), std::string("\x7f")}) {
        const std::string extension = ";a=\"" + text + "\"\r\n";
        for (const std::string& body :
             {"1" + extension + "x\r\n0\r\n\r\n", "1\r\nx\r\n0" + extension + "\r\n"}) {
            for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
                parser.reset();
                BOOST_TEST((feed(chunked + body, piece) == state::failed));
            }
        }
    }
    parser.reset();
    BOOST_TEST((feed(chunked + "1;a=\"b\tc\";d\r\nx\r\n0;e\r\n\r\n", 1000) == state::complete));
}

// Not HTTP at all: no line of it may ever end.
BOOST_AUTO_TEST_CASE(the_first_byte_may_decide) {
    for (const char c : {'\x16', '\0', ' ', '\x80', '\n', '(', '/'}) {
        request_parser fresh(limits);
        std::size_t used = 0;
        BOOST_TEST((fresh.feed({&c, 1}, used) == state::failed));
        BOOST_TEST(fresh.fault().status == 400U);
    }
    BOOST_TEST((feed("\r", 1) == state::need_more));
}

// So that the answer is one that the page that asked may read.
BOOST_AUTO_TEST_CASE(what_was_read_of_a_refused_request_is_known) {
    const std::string origin = "Host: a\r\nOrigin: https://a.example\r\n";
    for (const std::string& bytes :
         {"GET / HTTP/1.1\r\n" + origin + "Host: b\r\n\r\n",
          "GET / HTTP/1.1\r\n" + origin + "Expect: all\r\n\r\n",
          "GET /" + std::string(limits.target_size_max, 'a') + " HTTP/1.1\r\n" + origin + "\r\n",
          "POST / HTTP/1.1\r\n" + origin + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"}) {
        request_parser fresh(limits);
        std::size_t used = 0;
        BOOST_TEST((fresh.feed(bytes, used) == state::failed));
        BOOST_TEST(fresh.value().find("Origin") == "https://a.example");
        BOOST_TEST(fresh.value().path.size() <= 1U);  // one that is too long is not repeated
    }
}

BOOST_AUTO_TEST_CASE(a_target_beyond_all_limits_is_named_as_such) {
    for (const bool whole : {false, true}) {
        request_parser fresh(limits);
        std::string bytes = "GET /" + std::string(9000, 'a');
        if (whole) bytes += " HTTP/1.1\r\nHost: a\r\n\r\n";
        std::size_t used = 0;
        BOOST_TEST((fresh.feed(bytes, used) == state::failed));
        BOOST_TEST(fresh.fault().status == 414U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
