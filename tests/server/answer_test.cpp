#include "http/answer.hpp"

#include "http/problem.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace orderproc::server::http;

namespace {

std::string bytes(const response& what, connection_word word = connection_word::none,
                  bool without_body = false) {
    std::string out;
    append_answer(what, {"D", "id-1", word, framing::length, without_body}, out);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_date_as_rfc_9110_writes_it) {
    date_cache cache;
    BOOST_TEST(cache.at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
    BOOST_TEST(cache.at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
    BOOST_TEST(cache.at(784111778) == "Sun, 06 Nov 1994 08:49:38 GMT");
    BOOST_TEST(cache.at(4102444800) == "Fri, 01 Jan 2100 00:00:00 GMT");
}

BOOST_AUTO_TEST_CASE(a_whole_answer) {
    response what;
    what.body = "{}";
    what.add("ETag", "\"1\"");
    BOOST_TEST(bytes(what) ==
               "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: "
               "id-1\r\nETag: \"1\"\r\n\r\n{}");
    BOOST_TEST(bytes(what, connection_word::close, true) ==
               "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: "
               "id-1\r\nConnection: close\r\nETag: \"1\"\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(answers_that_have_no_body) {
    for (const unsigned status : {204U, 304U}) {
        response what;
        what.status = status;
        what.body = "never";
        const std::string got = bytes(what);
        BOOST_TEST(got.find("\r\nContent-") == got.npos);
        BOOST_TEST(got.ends_with("\r\n\r\n"));
    }
}

BOOST_AUTO_TEST_CASE(a_problem_drops_what_was_there) {
    response what;
    what.body = "half an answ";
    what.add("ETag", "\"1\"");
    request to;
    to.path = "/a\"b";
    to.id = "id-1";
    write_problem(problems::bad_request, "one \"detail\"", to, what, R"("more":1)");
    BOOST_TEST(what.status == 400U);
    BOOST_TEST(what.fields.empty());
    BOOST_TEST(what.body ==
               R"({"type":"urn:orderproc:problem:bad_request","title":"The request is malformed",)"
               R"("status":400,"detail":"one \"detail\"","instance":"/a\"b",)"
               R"("code":"bad_request","request_id":"id-1","more":1})");
}
