// A catalogue of another server: only a whole answer of the right form is a verdict.

#include "items/http_items.hpp"

#include "ask_items.hpp"
#include "bare_server.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
namespace data = boost::unit_test::data;

namespace {

using ids = std::vector<std::int64_t>;

struct row {
    std::string bytes;  // of the answer, before the connection ends
    bool valid = false;
    ids unknown = {};
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.bytes.substr(0, 200);
}

std::string sized(const std::string& body, std::size_t size, const char* status = "200 OK") {
    return std::string("HTTP/1.1 ") + status + "\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n" + body;
}
std::string whole(const std::string& body, const char* status = "200 OK") {
    return sized(body, body.size(), status);
}

const std::string two = R"({"unknown":[2]})";
const std::vector<row> rows{
    {whole(two), true, {2}},
    {whole(R"({"unknown":[]})"), true, {}},
    {whole(R"({"unknown":[1,2]})" + std::string(2 * 1024 * 1024, ' ')), true, {1, 2}},
    {"HTTP/1.1 200 OK\r\n\r\n" + two, true, {2}},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + two + "\r\n0\r\n\r\n",
     true,
     {2}},
    // Cut off, be it JSON as far as it goes.
    {sized(two, two.size() + 1)},
    {sized(R"({"unknown":[)", two.size())},
    {"HTTP/1.1 200 OK\r\n\r\n{\"unknown\":[1"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + two + "\r\n"},
    {""},
    // Something else.
    {whole(two, "201 Created")},
    {whole(two, "203 Changed")},
    {whole(two, "301 Moved")},
    {whole(two, "422 No")},
    {whole(two, "500 No")},
    {"HTTP/1.1 204 No Content\r\n\r\n"},
    {whole("")},
    {whole("[]")},
    {whole("{}")},
    {whole(R"({"unknown":2})")},
    {whole(R"({"unknown":[1,"2"]})")},
    {whole(R"({"unknown":[1,2.5]})")},
    {whole(R"({"unknown":[1,99999999999999999999]})")},
    {whole(two + two)},
};

}  // namespace

BOOST_DATA_TEST_CASE(only_a_whole_answer_is_a_verdict, data::make(rows), it) {
    bare_server server([&](auto& socket) {
        if (!read_request(socket).empty()) say(socket, it.bytes);
    });
    http_url to = server.url();
    to.path = "/items?token=SECRET";
    const auto items = make_http_items(to, {});
    const auto told = server::testing::ask(*items, {1, 2});
    BOOST_TEST(told.has_value() == it.valid);
    if (told) BOOST_TEST(*told == it.unknown, boost::test_tools::per_element());
    if (told) return;
    BOOST_TEST((told.error().code == errc::unavailable));
    BOOST_TEST(told.error().detail.find(server.url().authority()) != std::string::npos);
    BOOST_TEST(told.error().detail.find("SECRET") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_question_is_signed_with_an_id_of_its_own) {
    std::vector<std::string> asked;
    bare_server server([&](auto& socket) {
        asked.push_back(read_request(socket));
        say(socket, whole(two));
    });
    request_credential credential;
    credential.fields = {{"X-API-Key", "SECRET"}};
    std::vector<std::string> ids;
    credential.sign = [&](std::string_view id, std::string_view body) -> result<http_fields> {
        ids.emplace_back(id);
        return http_fields{{"webhook-signature", std::string(body)}};
    };
    const auto items = make_http_items(server.url(), {}, credential);
    for (int i = 0; i < 2; ++i) BOOST_TEST(server::testing::ask(*items, {1, 2}).has_value());
    BOOST_TEST_REQUIRE(asked.size() == 2U);
    for (const std::string& it : asked) {
        BOOST_TEST(it.find("\r\nX-API-Key: SECRET\r\n") != std::string::npos);
        BOOST_TEST(it.find("\r\nwebhook-signature: {\"item_ids\":[1,2]}\r\n") != std::string::npos);
    }
    BOOST_TEST(ids[0] != ids[1]);
}

BOOST_AUTO_TEST_CASE(the_ids_are_posted) {
    std::string asked;
    bare_server server([&](auto& socket) {
        asked = read_request(socket);
        say(socket, whole(two));
    });
    BOOST_TEST(server::testing::ask(*make_http_items(server.url(), {}), {1, 2}).has_value());
    BOOST_TEST(asked.ends_with("\r\n\r\n{\"item_ids\":[1,2]}"));
}
