// What the server refuses to read: always an answer, always the end of the connection, never
// the end of the server.

#include "client.hpp"
#include "echo_service.hpp"
#include "http/server.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using namespace std::string_literals;

namespace {

struct row {
    std::string name;
    std::string bytes;
    int status;
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.name;
}

const std::string host = "Host: a\r\n";
const std::string post = "POST / HTTP/1.1\r\n" + host;

const std::vector<row> rows = {
    {"not HTTP", "hello\r\n\r\n", 400},
    {"a TLS hello", "\x16\x03\x01\x02\r\n\r\n", 400},
    {"no version", "GET /\r\n\r\n", 400},
    {"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 400},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", 400},
    {"lower-case version", "GET / http/1.1\r\n" + host + "\r\n", 400},
    {"a method with a control character", "GE\x01T / HTTP/1.1\r\n" + host + "\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
    {"a target with a space", "GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
    {"a target with NUL", "GET /a\0b HTTP/1.1\r\n"s + host + "\r\n", 400},
    {"a target that is no path", "GET orders HTTP/1.1\r\n" + host + "\r\n", 400},
    {"a fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", 400},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\n" + host + "\r\n", 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Host", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
    {"a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"a Host with a user", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", 400},
    {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"one bare LF", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"bare CR", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"a folded line", "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
    {"a folded first line", "GET / HTTP/1.1\r\n " + host + "\r\n", 400},
    {"a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"a space in a name", "GET / HTTP/1.1\r\n" + host + "X Y: b\r\n\r\n", 400},
    {"no colon", "GET / HTTP/1.1\r\n" + host + "X\r\n\r\n", 400},
    {"an empty name", "GET / HTTP/1.1\r\n" + host + ": b\r\n\r\n", 400},
    {"NUL in a value", "GET / HTTP/1.1\r\n" + host + "X: a\0b\r\n\r\n"s, 400},
    {"a control character in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x02\r\n\r\n", 400},
    {"two lengths", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
    {"two lengths in one", post + "Content-Length: 1, 1\r\n\r\na", 400},
    {"a signed length", post + "Content-Length: +1\r\n\r\na", 400},
    {"a negative length", post + "Content-Length: -1\r\n\r\na", 400},
    {"a hexadecimal length", post + "Content-Length: 0x1\r\n\r\na", 400},
    {"an empty length", post + "Content-Length:\r\n\r\na", 400},
    {"a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\na", 400},
    {"length, then chunked",
     post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked, then length",
     post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400},
    {"gzip, then length", post + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 400},
    {"gzip", post + "Transfer-Encoding: gzip\r\n\r\n", 400},
    {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
    {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
    {"an empty encoding", post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400},
    {"chunked twice",
     post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked in HTTP/1.0",
     "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"a chunk size that is none", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", 400},
    {"a negative chunk size", post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400},
    {"a chunk longer than its size",
     post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
    {"a chunk size beyond 64 bits",
     post + "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", 400},
    {"a chunk with bare LF", post + "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n", 400},
    {"a folded trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: b\r\n c\r\n\r\n", 400},
    {"a second trailer that is folded",
     post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: b\r\nY:\r\n\tc\r\n\r\n", 400},
    {"a trailer folded to nothing",
     post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: b\r\n \r\n\r\n", 400},
    {"a malformed trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX Y: b\r\n\r\n", 400},
    {"another expectation", post + "Expect: miracles\r\nContent-Length: 1\r\n\r\n", 417},
    {"a body beyond the limit", post + "Content-Length: 262145\r\n\r\n", 413},
    {"a chunk beyond the limit", post + "Transfer-Encoding: chunked\r\n\r\n40001\r\n", 413},
    {"chunks beyond the limit together",
     post + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n40000\r\n", 413},
    {"a target beyond the limit", "GET /" + std::string(2048, 'a') + " HTTP/1.1\r\n", 414},
    {"a target beyond all limits", "GET /" + std::string(9000, 'a'), 414},
    {"a field beyond the limit", "GET / HTTP/1.1\r\nX: " + std::string(9000, 'a'), 431},
    {"a trailer beyond the limit",
     post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(9000, 'a'), 431},
    {"too many fields",
     [] {
         std::string bytes = "GET / HTTP/1.1\r\n" + host;
         for (int i = 0; i < 64; ++i) bytes += "X: a\r\n";
         return bytes + "\r\n";
     }(),
     431},
};

struct fixture {
    echo_service service;
    std::unique_ptr<http::server> server = http::server::open({}, service).value();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(malformed, fixture)

BOOST_DATA_TEST_CASE(is_answered_and_ends_the_connection, boost::unit_test::data::make(rows), it) {
    client caller(server->port());
    std::string bytes = it.bytes;
    // The request line is only judged with a whole header.
    if (it.status == 414 && bytes.ends_with("\r\n")) bytes += host + "\r\n";
    const answer got = caller.ask(bytes);
    BOOST_TEST(got.status == it.status);
    BOOST_TEST(got.find("Content-Type").value_or("") == "application/problem+json");
    BOOST_TEST(got.find("Connection").value_or("") == "close");
    BOOST_TEST(got.find("X-Request-Id").has_value());
    BOOST_TEST(got.says("\"status\":" + std::to_string(it.status)));
    caller.finish_sending();
    BOOST_TEST(caller.closed());

    client other(server->port());
    BOOST_TEST(other.ask("GET / HTTP/1.1\r\n" + host + "\r\n").status == 200);
}

// What is refused must not depend on how it arrives.
BOOST_DATA_TEST_CASE(also_byte_by_byte, boost::unit_test::data::make(rows), it) {
    client caller(server->port());
    std::string bytes = it.bytes;
    if (it.status == 414 && bytes.ends_with("\r\n")) bytes += host + "\r\n";
    for (const char c : bytes) caller.send({&c, 1});
    BOOST_TEST(caller.read().status == it.status);
    caller.finish_sending();
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_SUITE_END()
