// What RFC 9110 and RFC 9112 ask of a client, over a server that says whatever a row wants.

#include "bare_server.hpp"
#include "client/http_client.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
namespace data = boost::unit_test::data;
using namespace std::string_literals;

namespace {

constexpr std::chrono::seconds enough(60);

struct answer_row {
    std::string what;
    std::string bytes;    // then the server closes the connection
    unsigned status = 0;  // 0: it is no answer
    std::string body = {};
};
std::ostream& operator<<(std::ostream& out, const answer_row& it) {
    return out << it.what;
}

std::string many(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

const std::string ok_2 = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const std::vector<answer_row> answers{
    // Interim answers (RFC 9110, 15.2).
    {"100", "HTTP/1.1 100 Continue\r\n\r\n" + ok_2, 200, "ok"},
    {"103 and its fields", "HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\n\r\n" + ok_2, 200, "ok"},
    {"several", "HTTP/1.1 102 A\r\n\r\nHTTP/1.1 199 B\r\n\r\n" + ok_2, 200, "ok"},
    {"100 alone", "HTTP/1.1 100 Continue\r\n\r\n"},
    {"100 without end", many("HTTP/1.1 100 Continue\r\n\r\n", 1000) + ok_2},
    {"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + ok_2},
    // Without a body, whatever the fields say (RFC 9112, 6.3).
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204},
    {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", 204},
    {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 304},
    // Lengths.
    {"a length", ok_2, 200, "ok"},
    {"no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200},
    {"more than the length", ok_2 + "more", 200, "ok"},
    {"less than the length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"},
    {"a length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200,
     "ok"},
    {"a list of one length", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 200, "ok"},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"},
    {"a list of two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok!"},
    {"an empty length", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok"},
    {"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"},
    {"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"},
    {"a word as length", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok"},
    {"a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok"},
    {"a large length", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\nok"},
    // Up to the end of the connection.
    {"no length", "HTTP/1.1 200 OK\r\n\r\nok", 200, "ok"},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", 200, "ok"},
    {"HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
    // Chunks (RFC 9112, 7.1).
    {"chunks", chunked + "1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, "ok"},
    {"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200,
     "ok"},
    {"hexadecimal", chunked + "0A\r\n0123456789\r\n0\r\n\r\n", 200, "0123456789"},
    {"extensions", chunked + "2;a;b=c;d=\"e;f\"\r\nok\r\n0;g\r\n\r\n", 200, "ok"},
    {"trailers", chunked + "2\r\nok\r\n0\r\nRetry-After: 1\r\nX: y\r\n\r\n", 200, "ok"},
    {"cut off before the last chunk", chunked + "2\r\nok\r\n"},
    {"cut off in a chunk", chunked + "3\r\nok"},
    {"cut off in the trailers", chunked + "2\r\nok\r\n0\r\nX: y\r\n"},
    {"a size that is none", chunked + "x\r\nok\r\n0\r\n\r\n"},
    {"an empty size", chunked + "\r\nok\r\n0\r\n\r\n"},
    {"a negative size", chunked + "-2\r\nok\r\n0\r\n\r\n"},
    {"a huge size", chunked + "fffffffffffffffff\r\nok\r\n0\r\n\r\n"},
    {"a chunk that goes on", chunked + "2\r\nok!\r\n0\r\n\r\n"},
    {"an extension without end", chunked + "2;" + std::string(1'000'000, 'a')},
    {"trailers without end", chunked + "0\r\n" + many("X: y\r\n", 100'000)},
    // Other codings, and two ways to tell the end (RFC 9112, 6.1 and 6.3).
    {"gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"},
    {"gzip in chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    {"chunks in gzip",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    {"chunked twice",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    {"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok"},
    {"a length, then chunked",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: "
     "chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    {"chunked, then a length",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "2\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    {"chunks on HTTP/1.0",
     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    // Header sections.
    {"no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
    {"a status of no class", "HTTP/1.1 600 ?\r\nContent-Length: 0\r\n\r\n", 600},
    {"an unknown status", "HTTP/1.1 299 ?\r\nContent-Length: 2\r\n\r\nok", 299, "ok"},
    {"two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"another protocol", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"something else", "220 mail.example ESMTP\r\n"},
    {"nothing", ""},
    {"a folded field", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
    {"a name with a space", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"},
    {"no colon", "HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\nok"},
    {"NUL in a field", "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\nok"s},
    {"cut off in the header", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"},
    {"a large header", "HTTP/1.1 200 OK\r\n" + many("X: y\r\n", 100'000)},
    {"a large field", "HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'a')},
    // Redirects are not followed (RFC 9110, 15.4).
    {"301", "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     301},
    {"308", "HTTP/1.1 308 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 308},
};

// How often the server is connected to when it is asked twice.
struct connection_row {
    std::string what;
    std::string bytes;
    int connections = 1;
    bool ends = false;  // the server closes the connection then
};
std::ostream& operator<<(std::ostream& out, const connection_row& it) {
    return out << it.what;
}

const std::vector<connection_row> connections{
    {"HTTP/1.1", ok_2, 1},
    {"chunks", chunked + "2\r\nok\r\n0\r\n\r\n", 1},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", 1},
    {"an interim answer", "HTTP/1.1 100 Continue\r\n\r\n" + ok_2, 1},
    {"HTTP/1.0 with keep-alive",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 1},
    {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2},
    {"a list with close", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
     2},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2},
    {"no length", "HTTP/1.1 200 OK\r\n\r\nok", 2, true},
    {"an answer too many", ok_2 + "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", 2},
    {"a body after 204", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", 2},
};

// For one connection after the other, until the client ends it.
auto says(std::string bytes, bool ends) {
    return [bytes = std::move(bytes), ends](peer_socket& it) {
        while (!read_request(it).empty()) {
            say(it, bytes);
            if (ends) return;
        }
    };
}

result<fetch_response> ask(http_client& by, fetch_request what = {}) {
    std::promise<result<fetch_response>> got;
    by.fetch(std::move(what), {}, [&](result<fetch_response> it) { got.set_value(std::move(it)); });
    return got.get_future().get();
}

fetch_request post(std::string body = "{}", std::string key = {}) {
    fetch_request out;
    out.method = "POST";
    out.body = std::move(body);
    if (!key.empty()) out.fields = {{"Idempotency-Key", key}};
    return out;
}

// Answers the first request of its first connection, then does as told with the second.
auto drops_the_second(std::string bytes) {
    return [bytes = std::move(bytes), first = true](peer_socket& it) mutable {
        while (!read_request(it).empty()) {
            if (!first) say(it, ok_2);
            if (!first) continue;
            say(it, ok_2);
            read_request(it);
            say(it, bytes);
            first = false;
            return;
        }
    };
}

}  // namespace

BOOST_DATA_TEST_CASE(an_answer_is_what_the_rfcs_say, data::make(answers), it) {
    bare_server server([&](peer_socket& by) {
        if (!read_request(by).empty()) say(by, it.bytes);
    });
    for (const bool in_parts : {false, true}) {
        std::string parts;
        const auto got = in_parts ? fetch_parts(server.url(), {}, {enough},
                                                [&](std::string_view part) {
                                                    parts += part;
                                                    return true;
                                                })
                                  : fetch(server.url(), {}, enough);
        BOOST_TEST(got.has_value() == (it.status != 0));
        if (!got) {
            BOOST_TEST((got.error().code == errc::unavailable));
            BOOST_TEST(got.error().detail.starts_with(server.url().authority() + ": "));
            continue;
        }
        BOOST_TEST(got->status == it.status);
        BOOST_TEST(got->body + parts == it.body);
        BOOST_TEST(got->find("Retry-After").empty());  // of an interim answer, or a trailer
    }
}

BOOST_AUTO_TEST_CASE(the_answer_to_head_has_no_body) {
    bare_server server(says("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", false));
    http_client client(server.url());
    for (int i = 0; i < 2; ++i) {
        fetch_request what;
        what.method = "HEAD";
        const auto got = ask(client, what);
        BOOST_TEST_REQUIRE(got.has_value());
        BOOST_TEST(got->find("content-length") == "2000");
    }
    BOOST_TEST(server.accepted == 1);
}

BOOST_DATA_TEST_CASE(a_connection_is_used_again_where_it_may_be, data::make(connections), it) {
    bare_server server(says(it.bytes, it.ends));
    http_client client(server.url());
    const auto first = ask(client);
    BOOST_TEST_REQUIRE(first.has_value());
    const auto second = ask(client);
    BOOST_TEST_REQUIRE(second.has_value());
    BOOST_TEST(first->status == second->status);
    BOOST_TEST(server.accepted == it.connections);
}

BOOST_AUTO_TEST_CASE(what_comes_unasked_is_no_answer) {
    std::promise<void> asked;
    std::promise<void> said;
    bare_server server([&, first = true](peer_socket& by) mutable {
        while (!read_request(by).empty()) {
            say(by, ok_2);
            if (!first) continue;
            first = false;
            asked.get_future().wait();
            say(by, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
            said.set_value();
        }
    });
    http_client client(server.url());
    BOOST_TEST(ask(client, post())->status == 200U);
    asked.set_value();
    said.get_future().wait();
    BOOST_TEST(ask(client, post())->status == 200U);
    BOOST_TEST(server.accepted == 2);
}

BOOST_AUTO_TEST_CASE(a_request_says_what_it_has_to) {
    std::string asked;
    bare_server server([&](peer_socket& by) {
        asked = read_request(by);
        say(by, ok_2);
    });
    BOOST_TEST(fetch(server.url(), post("body"), enough).has_value());
    const std::string port = std::to_string(server.url().port);
    BOOST_TEST(asked.starts_with("POST / HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n"));
    BOOST_TEST(asked.find("\r\nUser-Agent: orderproc/") != asked.npos);
    BOOST_TEST(asked.find("\r\nAccept-Encoding: identity\r\n") != asked.npos);
    BOOST_TEST(asked.find("\r\nContent-Length: 4\r\n") != asked.npos);
    BOOST_TEST(asked.ends_with("\r\n\r\nbody"));
    BOOST_TEST(fetch(server.url(), post(""), enough).has_value());
    BOOST_TEST(asked.find("\r\nContent-Length: 0\r\n") != asked.npos);
    BOOST_TEST(fetch(server.url(), {}, enough).has_value());
    BOOST_TEST(asked.find("Content-Length") == asked.npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_that_could_be_read_as_more) {
    bare_server server(says(ok_2, true));
    http_client client(server.url());
    std::vector<fetch_request> bad(3);
    bad[0].method = "GET / HTTP/1.1\r\nX:";
    bad[1].target = "/ HTTP/1.1\r\nX: y";
    bad[2].target = "elsewhere";
    for (const char c : {'\r', '\n', '\0', '\x1b', '\x7f'}) {
        bad.emplace_back().fields = {{"X", std::string("secret") + c + "Y: z"}};
        bad.emplace_back().fields = {{std::string("X") + c, "y"}};
    }
    for (const fetch_request& it : bad) {
        const auto alone = fetch(server.url(), it, enough);
        BOOST_TEST((alone.error().code == errc::invalid_argument));
        BOOST_TEST(alone.error().detail.find("secret") == std::string::npos);
        BOOST_TEST((ask(client, it).error().code == errc::invalid_argument));
    }
    fetch_request good;
    good.fields = {{"X", "a\tb \xc3\xbc"}};
    BOOST_TEST(ask(client, good).has_value());
    BOOST_TEST(server.accepted == 1);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_costs_a_second_request_only_where_that_is_safe) {
    struct row {
        std::string what;
        fetch_request asks;
        std::string bytes;  // of an answer, before the connection ends
        bool again;
    };
    std::vector<row> rows{{"POST", post(), "", false},
                          {"POST with a key", post("{}", "k"), "", true},
                          {"GET", {}, "", true},
                          {"POST that reads", post(), "", true},
                          {"GET, and some of an answer came", {}, "HTTP/1.1 2", false},
                          {"GET, and an interim answer came", {}, "HTTP/1.1 100 C\r\n\r\n", false}};
    rows[3].asks.repeatable = true;
    for (const char* method : {"PUT", "DELETE", "OPTIONS"}) {
        rows.push_back({method, {}, "", true});
        rows.back().asks.method = method;
    }
    for (const char* method : {"PATCH", "MERGE"}) {
        rows.push_back({method, {}, "", false});
        rows.back().asks.method = method;
    }
    for (const row& it : rows) {
        BOOST_TEST_CONTEXT(it.what) {
            bare_server server(drops_the_second(it.bytes));
            http_client client(server.url());
            BOOST_TEST(ask(client).has_value());
            const auto got = ask(client, it.asks);
            BOOST_TEST(got.has_value() == it.again);
            BOOST_TEST(server.accepted == (it.again ? 2 : 1));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_new_connection_that_is_lost_is_a_failure_at_once) {
    bare_server server([](peer_socket& by) { read_request(by); });
    http_client client(server.url());
    const auto got = ask(client, post("{}", "k"));
    BOOST_TEST((got.error().code == errc::unavailable));
    BOOST_TEST(server.accepted == 1);
}

BOOST_AUTO_TEST_CASE(an_early_refusal_is_the_answer) {
    bare_server server([](peer_socket& by) {
        read_head(by);
        say(by,
            "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    });  // closes, with most of the body unread
    const auto got = fetch(server.url(), post(std::string(32 * 1024 * 1024, 'a')), enough);
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->status == 413U);
}
