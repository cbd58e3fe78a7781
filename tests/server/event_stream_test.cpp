#include "client/event_stream.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <ostream>
#include <string>
#include <vector>

using namespace orderproc::server;
using namespace std::chrono_literals;
using namespace std::string_literals;
namespace data = boost::unit_test::data;
using strings = std::vector<std::string>;

namespace {

struct row {
    std::string what;
    std::string stream;
    strings events;  // "type|data"
    std::string last_id = {};
    std::chrono::milliseconds retry = 3s;
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.what;
}

// Those of the specification among them.
const std::vector<row> rows{
    {"nothing", "", {}},
    {"one", "data: a\n\n", {"message|a"}},
    {"cut off", "data: a\n\ndata: b\n", {"message|a"}},
    {"CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", {"message|a\nb", "message|c"}},
    {"CR", "data: a\rdata: b\r\rdata: c\r\r", {"message|a\nb", "message|c"}},
    {"all mixed", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r", {"message|a\nb\nc", "message|d"}},
    {"lines", "data: YHOO\ndata: +2\ndata: 10\n\n", {"message|YHOO\n+2\n10"}},
    {"empty lines of data", "data\n\ndata\ndata\n\ndata:", {"message|", "message|\n"}},
    {"one space",
     "data:test\n\ndata: test\n\ndata:  x\n\n",
     {"message|test", "message|test", "message| x"}},
    {"comments", ": hello\n\n:\n\n:data: x\ndata: a\n: b\n\n", {"message|a"}},
    {"types",
     "event: add\ndata: 1\n\ndata: 2\n\nevent:\ndata: 3\n\n",
     {"add|1", "message|2", "message|3"}},
    {"a type alone", "event: add\n\ndata: 1\n\n", {"message|1"}},
    {"ids stay", "id: 1\ndata: a\n\ndata: b\n\n", {"message|a", "message|b"}, "1"},
    {"an id alone", "retry: 10\nid: 7-1\n\n", {}, "7-1", 10ms},
    {"an empty id", "id: 1\ndata: a\n\nid\ndata: b\n\n", {"message|a", "message|b"}},
    {"an id of what is cut off", "id: 1\ndata: a\n\nid: 2\ndata: b\n", {"message|a"}, "1"},
    {"NUL in an id", "id: 1\nid: 2\0\ndata: a\n\n"s, {"message|a"}, "1"},
    {"NUL in data", "data: a\0b\n\n"s, {"message|a\0b"s}},
    {"retry", "retry: 0\n\n", {}, "", 0ms},
    {"retry that is none", "retry: 1\nretry:\nretry: -2\nretry: 3s\nretry: 4 \n\n", {}, "", 1ms},
    {"retry for ever", "retry: 99999999999999999999\n\n", {}, "", 24h},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "data: a\n\n\xef\xbb\xbf"
     "data: b\n\n",
     {"message|a"}},
    {"nothing known", "Data: a\ndata : b\nx\nid2: 3\n\n", {}},
    {"a colon in the value", "data: a: b:c\n\n", {"message|a: b:c"}},
};

struct seen {
    strings events;
    event_stream_reader reader;
    bool read(std::string_view part) {
        return reader.read(part, [this](const stream_event& it) {
            events.push_back(std::string(it.type) + "|" + std::string(it.data));
            return it.data != "enough";
        });
    }
    void check(const row& it) const {
        BOOST_TEST(events == it.events, boost::test_tools::per_element());
        BOOST_TEST(reader.last_id() == it.last_id);
        BOOST_TEST((reader.retry() == it.retry));
    }
};

}  // namespace

BOOST_DATA_TEST_CASE(a_stream_is_read_as_a_whole, data::make(rows), it) {
    seen all;
    BOOST_TEST(all.read(it.stream));
    all.check(it);
}

BOOST_DATA_TEST_CASE(a_stream_is_read_however_it_is_cut, data::make(rows), it) {
    for (std::size_t cut = 0; cut <= it.stream.size(); ++cut) {
        seen halves;
        BOOST_TEST(halves.read(std::string_view(it.stream).substr(0, cut)));
        BOOST_TEST(halves.read(std::string_view(it.stream).substr(cut)));
        halves.check(it);
    }
    seen bytes;
    for (const char& byte : it.stream) BOOST_TEST(bytes.read({&byte, 1}));
    bytes.check(it);
}

BOOST_AUTO_TEST_CASE(an_event_comes_with_the_end_of_its_line_not_with_what_follows) {
    seen by_cr;
    by_cr.read("data: a\r\r");
    BOOST_TEST(by_cr.events == strings{"message|a"}, boost::test_tools::per_element());
    by_cr.read("\ndata: b\n\n");
    BOOST_TEST(by_cr.events == (strings{"message|a", "message|b"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_stream_begins_anew_but_for_the_position) {
    seen it;
    it.read("id: 1\ndata: a\n\nevent: add\nid: 2\ndata: half\r");
    it.reader.restart();
    BOOST_TEST(it.reader.last_id() == "1");
    it.read("\n\xef\xbb\xbf");
    it.reader.restart();
    it.read(
        "\xef\xbb\xbf"
        "data: b\n\n");
    BOOST_TEST(it.events == (strings{"message|a", "message|b"}), boost::test_tools::per_element());
    BOOST_TEST(it.reader.last_id() == "1");
}

BOOST_AUTO_TEST_CASE(a_reader_has_its_bounds) {
    const event_stream_reader::event_sink any = [](const stream_event&) { return true; };
    BOOST_TEST(event_stream_reader(10).read("data: abcd\n\n", any));
    BOOST_TEST(!event_stream_reader(10).read("data: abcde", any));
    event_stream_reader lines(10);
    BOOST_TEST(lines.read("data: abcd\ndata: abcd\n", any));
    BOOST_TEST(!lines.read("data: abcd\n", any));
    seen it;
    BOOST_TEST(!it.read("data: enough\n\ndata: more\n\n"));
    BOOST_TEST(it.events == strings{"message|enough"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(pauses_are_what_the_server_asks_and_longer_each_time) {
    constexpr std::uint64_t least = 0;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    BOOST_TEST((reconnection_pause(3s, 0, least) == 3s));
    BOOST_TEST((reconnection_pause(3s, 0, most) == 4499ms));
    BOOST_TEST((reconnection_pause(3s, 2, least) == 12s));
    BOOST_TEST((reconnection_pause(3s, 9, least) == 30s));
    BOOST_TEST((reconnection_pause(3s, std::numeric_limits<unsigned>::max(), most) < 45s));
    BOOST_TEST((reconnection_pause(10min, 9, least) == 10min));
    BOOST_TEST((reconnection_pause(0ms, 0, least) == 100ms));
    BOOST_TEST((reconnection_pause(std::chrono::milliseconds::max(), 9, most) <= 36h));
}
