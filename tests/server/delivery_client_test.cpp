// Deliveries of webhooks over real connections. The resolver is the test's; nothing beyond loopback
// is ever connected to: 127.0.0.1 is allowed, and 127.0.0.2 stands for what is not.

#include "webhooks/delivery_client.hpp"

#include "tls/tls_client.hpp"
#include "tls_peer.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using boost::asio::ip::make_address;

namespace {

struct told final : observer {
    void error(std::string_view where, const failure& what) noexcept override {
        const std::lock_guard lock(mutex);
        all.push_back(std::string(where) + " " + what.detail);
    }
    std::string last() {
        const std::lock_guard lock(mutex);
        return all.empty() ? std::string() : all.back();
    }
    std::mutex mutex;
    std::vector<std::string> all;
};

struct post_room {
    post_room() {
        options.policy.networks = {http::address_range::parse("127.0.0.1").value()};
        tls::client_files files;
        files.ca = ca.certificate();
        carrier = tls::make_client(files).value();
        options.by.secure = carrier.get();
        options.by.find = [this](const std::string&) -> result<host_addresses> {
            if (!resolves_to.load()) return failure{errc::unavailable, "no such host"};
            return host_addresses{make_address(resolves_to.load())};
        };
        options.by.refused = [this](const std::string&, const host_addresses& all) {
            refused_address = all.front().to_string();
        };
        options.timeout = std::chrono::seconds(60);
    }
    std::string url_of(const http_url& at, const char* host = "hooks.example") {
        options.policy.ports = {at.port};
        return "https://" + std::string(host) + ":" + std::to_string(at.port) + "/in?a=b";
    }
    // One delivery, to its end.
    webhook_response deliver(const std::string& to) {
        if (!client) client.emplace(options, tell);
        webhook_request what;
        what.endpoint = "wh_1";
        what.url = to;
        what.fields = {{"webhook-id", "1-1.wh_1"},
                       {"content-type", "application/cloudevents+json"}};
        what.body = R"({"a":1})";
        what.timeout = options.timeout;
        std::promise<webhook_response> answered;
        client->deliver(std::move(what), {},
                        [&](webhook_response it) { answered.set_value(std::move(it)); });
        return answered.get_future().get();
    }

    authority ca;
    authority::files good = ca.issue({"hooks", "DNS:hooks.example"});
    std::unique_ptr<http::client_stream_maker> carrier;
    delivery_options options;
    std::atomic<const char*> resolves_to{"127.0.0.1"};
    std::string refused_address;
    told tell;
    std::optional<delivery_client> client;  // the last member: it uses the others
};

std::string answer_with(std::string_view status, std::string_view more = {}) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
           "Content-Length: 0\r\nConnection: close\r\n\r\n";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(a_delivery, post_room)

BOOST_AUTO_TEST_CASE(is_a_post_of_its_bytes_and_fields) {
    std::string asked;
    tls_peer receiver(good, [&](secure_socket& by) {
        asked = read_head(by);
        while (!asked.ends_with(R"({"a":1})")) {
            std::array<char, 64> part;
            boost::system::error_code ec;
            asked.append(part.data(), by.read_some(boost::asio::buffer(part), ec));
            if (ec) return;
        }
        say(by, answer_with("204 No Content"));
        bid_farewell(by);
    });
    const auto got = deliver(url_of(receiver.url()));
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.error.empty());
    BOOST_TEST(asked.starts_with("POST /in?a=b HTTP/1.1\r\nHost: hooks.example:"));
    BOOST_TEST(asked.find("\r\nwebhook-id: 1-1.wh_1\r\n") != std::string::npos);
    BOOST_TEST(asked.find("\r\ncontent-type: application/cloudevents+json\r\n") !=
               std::string::npos);
    BOOST_TEST(tell.all.empty());
    BOOST_TEST(client->attempts().delivered == 1U);
    BOOST_TEST(client->attempts().refused + client->attempts().unanswered == 0U);
}

// Rows 34 and 35 of the attacks: the name leads elsewhere by the next delivery.
BOOST_AUTO_TEST_CASE(goes_to_no_address_that_is_not_allowed_by_then) {
    tls_peer receiver(good, [](secure_socket& by) {
        if (!read_head(by).empty()) say(by, answer_with("200 OK"));
        bid_farewell(by);
    });
    const std::string to = url_of(receiver.url());
    boost::asio::io_context context;
    const boost::asio::ip::tcp::endpoint other(make_address("127.0.0.2"), receiver.url().port);
    boost::asio::ip::tcp::acceptor forbidden(context, other);
    forbidden.non_blocking(true);
    BOOST_TEST(deliver(to).status == 200U);
    resolves_to = "127.0.0.2";
    const auto got = deliver(to);
    BOOST_TEST(got.status == 0U);
    BOOST_TEST(got.error == address_not_allowed);
    BOOST_TEST(client->attempts().delivered == 1U);
    BOOST_TEST(client->attempts().unanswered == 1U);
    boost::system::error_code ec;
    boost::asio::ip::tcp::socket none(context);
    forbidden.accept(none, ec);
    BOOST_TEST((ec == boost::asio::error::would_block));
    // The log has what the owner of the endpoint is not told.
    BOOST_TEST(refused_address == "127.0.0.2");
}

BOOST_AUTO_TEST_CASE(goes_nowhere_while_this_machines_own_addresses_are_unknown) {
    tls_peer receiver(good, [](secure_socket&) {});
    options.by.own = [] { return host_addresses(); };
    BOOST_TEST(deliver(url_of(receiver.url())).error == "there was no answer");
    BOOST_TEST(receiver.accepted() == 0);
}

BOOST_AUTO_TEST_CASE(goes_to_no_url_that_is_not_allowed_by_then) {
    for (const char* it :
         {"http://hooks.example/", "https://127.0.0.2/", "https://hooks.example:22/",
          "https://10.0.0.1/", "https://localhost/", "nothing"}) {
        BOOST_TEST(deliver(it).error == address_not_allowed, it);
    }
}

// Whoever names a URL is not to learn from it what there is in our network.
BOOST_AUTO_TEST_CASE(says_the_same_of_whatever_went_wrong) {
    authority stranger;
    tls_peer unknown(stranger.issue({"hooks", "DNS:hooks.example"}), [](secure_socket&) {});
    tls_peer silent(good, [](secure_socket& by) { (void)read_head(by); });
    std::uint16_t closed = 0;
    {
        boost::asio::io_context context;
        boost::asio::ip::tcp::acceptor was(context, {make_address("127.0.0.1"), 0});
        closed = was.local_endpoint().port();
    }
    options.policy.ports = {closed, unknown.url().port, silent.url().port};
    std::vector<std::string> causes;
    const auto expect = [&](std::uint16_t port) {
        const auto got = deliver("https://hooks.example:" + std::to_string(port) + "/");
        BOOST_TEST(got.status == 0U);
        BOOST_TEST(got.error == "there was no answer");
        causes.push_back(tell.last());
        BOOST_TEST(causes.back().starts_with("webhooks.delivery endpoint wh_1: "), causes.back());
    };
    expect(closed);
    expect(unknown.url().port);
    expect(silent.url().port);
    resolves_to = nullptr;
    expect(closed);
    BOOST_TEST(causes.back().find("no such host") != std::string::npos);
    BOOST_TEST(causes[0] != causes[1]);
}

BOOST_AUTO_TEST_CASE(follows_no_redirect) {
    std::atomic<int> requests{0};
    tls_peer receiver(good, [&](secure_socket& by) {
        while (!read_head(by).empty()) {
            ++requests;
            say(by, "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n");
        }
    });
    BOOST_TEST(deliver(url_of(receiver.url())).status == 302U);
    BOOST_TEST(client->attempts().refused == 1U);
    client.reset();  // its connection ends
    BOOST_TEST(requests == 1);
    BOOST_TEST(receiver.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(reads_little_of_an_answer_and_takes_its_status_alone) {
    tls_peer receiver(good, [](secure_socket& by) {
        if (read_head(by).empty()) return;
        say(by, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
        const std::string more(64 * 1024, 'x');
        for (boost::system::error_code ec; !ec;) {
            boost::asio::write(by, boost::asio::buffer(more), ec);
        }
    });
    const auto got = deliver(url_of(receiver.url()));
    BOOST_TEST(got.status == 200U);
    BOOST_TEST(got.error.empty());
    BOOST_TEST(got.body.size() <= delivery_body_max);
}

BOOST_AUTO_TEST_CASE(tells_how_long_to_wait) {
    tls_peer receiver(good, [](secure_socket& by) {
        if (!read_head(by).empty()) say(by, answer_with("429 Slow", "Retry-After: 7\r\n"));
        bid_farewell(by);
    });
    const auto got = deliver(url_of(receiver.url()));
    BOOST_TEST(got.status == 429U);
    BOOST_TEST((got.retry_after == std::chrono::seconds(7)));
}

BOOST_AUTO_TEST_SUITE_END()
