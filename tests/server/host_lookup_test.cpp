// The name of a host, and the time that finding it may take.

#include "bare_server.hpp"
#include "client/http_client.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using boost::asio::ip::make_address;

namespace {

constexpr std::chrono::seconds enough(60);

// Says nothing before it is told to. A thread may be in it when the test is over.
class slow_finder {
public:
    slow_finder() : told_(tell_->get_future().share()) {}
    result<host_addresses> operator()(const std::string&) const {
        if (++*asked_ == 1) begun_->set_value();
        return told_.get();
    }
    void tell(host_addresses what) { tell_->set_value(std::move(what)); }
    void wait_for_question() { begun_->get_future().wait(); }
    int asked() const { return *asked_; }

private:
    std::shared_ptr<std::promise<host_addresses>> tell_ =
        std::make_shared<std::promise<host_addresses>>();
    std::shared_ptr<std::promise<void>> begun_ = std::make_shared<std::promise<void>>();
    std::shared_ptr<std::atomic<int>> asked_ = std::make_shared<std::atomic<int>>(0);
    std::shared_future<host_addresses> told_;
};

bare_server answering() {
    return bare_server([](peer_socket& by) {
        if (!read_request(by).empty())
            say(by, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    });
}

http_url named(const bare_server& it) {
    http_url out = it.url();
    out.host = "shop.example";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_slow_lookup_ends_with_the_time_of_the_request) {
    slow_finder slow;
    http_url to;
    to.host = "shop.example";
    const auto got = fetch(to, {}, std::chrono::milliseconds(20), {slow});
    BOOST_TEST((got.error().code == errc::unavailable));
    BOOST_TEST(got.error().detail == "shop.example: the host name was not resolved in time");
    const auto stream =
        fetch_parts(to, {}, {std::chrono::milliseconds(20)}, [](auto) { return true; }, {slow});
    BOOST_TEST((stream.error().code == errc::unavailable));
    slow.tell({});
}

BOOST_AUTO_TEST_CASE(those_who_ask_meanwhile_wait_for_the_same_answer) {
    auto server = answering();
    slow_finder slow;
    http_client_options options;
    options.find = slow;
    http_client client(named(server), options);
    std::vector<std::promise<result<fetch_response>>> got(10);
    for (auto& it : got) {
        client.fetch({}, {}, [&it](result<fetch_response> told) { it.set_value(std::move(told)); });
    }
    slow.wait_for_question();
    slow.tell({make_address("127.0.0.1")});
    for (auto& it : got) BOOST_TEST(it.get_future().get()->status == 204U);
    BOOST_TEST(slow.asked() == 1);  // all of them had asked before it was told
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_and_a_request_that_is_stopped_do_not_wait_for_a_lookup) {
    slow_finder slow;
    std::vector<result<fetch_response>> ended;
    std::promise<void> stopped;
    std::stop_source stop;
    {
        http_url to;
        to.host = "shop.example";
        http_client_options options;
        options.find = slow;
        options.connect_timeout = std::chrono::hours(1);
        http_client client(to, options);
        client.fetch({}, stop.get_token(), [&](result<fetch_response> it) {
            ended.push_back(std::move(it));
            stopped.set_value();
        });
        slow.wait_for_question();
        stop.request_stop();
        stopped.get_future().wait();
        client.fetch({}, {}, [&](result<fetch_response> it) { ended.push_back(std::move(it)); });
    }
    BOOST_TEST(ended.size() == 2U);
    for (const auto& it : ended) BOOST_TEST((it.error().code == errc::stopped));
    slow.tell({});
}

BOOST_AUTO_TEST_CASE(each_address_is_tried) {
    auto server = answering();
    const auto finds = [](const std::string&) -> result<host_addresses> {
        return host_addresses{make_address("127.0.0.2"), make_address("::1"),
                              make_address("127.0.0.1")};
    };
    const auto got = fetch(named(server), {}, enough, {finds});
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->status == 204U);
}

BOOST_AUTO_TEST_CASE(a_lookup_that_fails_says_why) {
    http_url to;
    to.host = "shop.example";
    const std::vector<std::pair<host_finder, std::string>> rows{
        {[](auto&) -> result<host_addresses> {
             return failure{errc::unavailable, "no idea"};
         },
         "shop.example: no idea"},
        {[](auto&) -> result<host_addresses> { throw std::runtime_error("thrown"); },
         "shop.example: thrown"},
        {[](auto&) -> result<host_addresses> { return host_addresses(); }, "shop.example: "}};
    for (const auto& [finder, text] : rows) {
        const auto got = fetch(to, {}, enough, {finder});
        BOOST_TEST((got.error().code == errc::unavailable));
        BOOST_TEST(got.error().detail.starts_with(text));
    }
}

BOOST_AUTO_TEST_CASE(an_address_is_not_looked_up) {
    auto server = answering();
    const auto never = [](const std::string&) -> result<host_addresses> {
        return failure{errc::unavailable, "asked"};
    };
    BOOST_TEST(fetch(server.url(), {}, enough, {never})->status == 204U);
}

BOOST_AUTO_TEST_CASE(the_system_knows_this_machine) {
    const auto found = find_host("localhost");
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST_REQUIRE(!found->empty());
    for (const auto& it : *found) BOOST_TEST(it.is_loopback());
    const auto none = find_host("no..such.host");
    BOOST_TEST((none.error().code == errc::unavailable));
    BOOST_TEST(none.error().detail.starts_with("the host name cannot be resolved: "));
}
