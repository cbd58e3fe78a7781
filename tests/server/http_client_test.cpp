#include "client/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <future>
#include <semaphore>
#include <string>
#include <thread>

using namespace orderproc;
using namespace orderproc::server;

namespace {

// What a client meets on the network.
struct bare_server {
    explicit bare_server(std::function<void(boost::asio::ip::tcp::socket&)> then)
        : acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), 0}),
          thread([this, then = std::move(then)] {
              for (boost::system::error_code ec; !ec;) {
                  auto socket = acceptor.accept(ec);
                  if (ec) break;
                  ++accepted;
                  then(socket);
              }
          }) {}
    ~bare_server() {
        ::shutdown(acceptor.native_handle(), SHUT_RDWR);
        thread.join();
    }
    http_url url() const {
        http_url out;
        out.host = "127.0.0.1";
        out.port = acceptor.local_endpoint().port();
        return out;
    }
    std::atomic<int> accepted{0};
    boost::asio::io_context context;
    boost::asio::ip::tcp::acceptor acceptor;
    std::thread thread;
};

void read_head(boost::asio::ip::tcp::socket& from) {
    std::string text;
    std::array<char, 1024> part;
    boost::system::error_code ec;
    while (!ec && text.find("\r\n\r\n") == std::string::npos) {
        text.append(part.data(), from.read_some(boost::asio::buffer(part), ec));
    }
}
void say(boost::asio::ip::tcp::socket& to, std::string_view text) {
    boost::system::error_code ec;
    to.write_some(boost::asio::buffer(text.data(), text.size()), ec);
}

}  // namespace

BOOST_AUTO_TEST_CASE(urls_are_read_strictly) {
    const auto url = parse_http_url("http://shop.example:8080/a/b?c=d").value();
    BOOST_TEST(url.host == "shop.example");
    BOOST_TEST(url.port == 8080);
    BOOST_TEST(url.path == "/a/b?c=d");
    BOOST_TEST(parse_http_url("http://[::1]:81").value().authority() == "[::1]:81");
    BOOST_TEST(parse_http_url("http://h").value().path == "/");
    BOOST_TEST(parse_http_url("http://h?a=b").value().path == "/?a=b");
    for (const char* bad :
         {"", "h", "https://h/", "http://", "http://:80/", "http://u:p@h/", "http://h:0/",
          "http://h:65536/", "http://h:8x/", "http://h/#f", "http://h/a b", "http://[::1"}) {
        BOOST_TEST(!parse_http_url(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_off_is_none) {
    bare_server cuts([](auto& socket) {
        read_head(socket);
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    const auto got = fetch(cuts.url(), {}, std::chrono::seconds(60));
    BOOST_TEST(got.error().code == make_error_code(errc::unavailable));
    BOOST_TEST(got.error().detail.find("closed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(silence_ends_with_the_time) {
    std::promise<void> over;
    auto wait = over.get_future().share();
    bare_server silent([wait](auto&) { wait.wait(); });
    const auto got = fetch(silent.url(), {}, std::chrono::milliseconds(50));
    BOOST_TEST(got.error().detail.find("no answer within 50 ms") != std::string::npos);
    over.set_value();
}

BOOST_AUTO_TEST_CASE(a_stale_connection_is_replaced_for_what_may_be_repeated) {
    bare_server once([](auto& socket) {
        read_head(socket);
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });  // closes after each answer, without a word
    http_client client(once.url());
    for (int i = 0; i < 3; ++i) {
        fetch_request what;
        what.repeatable = true;
        std::promise<result<fetch_response>> got;
        client.fetch(what, {}, [&](result<fetch_response> it) { got.set_value(std::move(it)); });
        const auto answer = got.get_future().get();
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->body == "ok");
    }
    BOOST_TEST(once.accepted == 3);
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_and_a_request_that_is_stopped_end_as_such) {
    std::promise<void> over;
    auto wait = over.get_future().share();
    std::promise<void> reached;
    bare_server silent([&, wait](auto& socket) {
        read_head(socket);
        reached.set_value();
        wait.wait();
    });
    std::vector<result<fetch_response>> ended;
    std::stop_source stop;
    {
        http_client_options options;
        options.connections_max = 1;
        http_client client(silent.url(), options);
        const auto keep = [&](result<fetch_response> it) { ended.push_back(std::move(it)); };
        client.fetch({}, stop.get_token(), keep);
        reached.get_future().wait();
        client.fetch({}, {}, keep);  // waits for a connection
    }
    BOOST_TEST(ended.size() == 2U);
    for (const auto& it : ended) BOOST_TEST(it.error().code == make_error_code(errc::stopped));
    over.set_value();
}

// Its end may fall between any two steps of the request, where nothing is under way that could
// be cancelled.
BOOST_AUTO_TEST_CASE(a_client_that_goes_waits_for_nothing) {
    std::counting_semaphore reached(0);
    bare_server halting([&](auto& socket) {
        read_head(socket);
        reached.release();
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        read_head(socket);  // until the client has gone
    });
    http_client_options options;
    options.timeout = std::chrono::seconds(60);
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        result<fetch_response> ended;
        {
            http_client client(halting.url(), options);
            client.fetch({}, {}, [&](result<fetch_response> it) { ended = std::move(it); });
            if (i % 2 == 0) reached.acquire();
        }
        BOOST_TEST(ended.error().code == make_error_code(errc::stopped));
    }
    BOOST_TEST((std::chrono::steady_clock::now() - begun < options.timeout));
}

BOOST_AUTO_TEST_CASE(a_body_is_handed_on_as_it_comes) {
    std::promise<void> came;
    auto wait = came.get_future().share();
    bare_server slow([wait](auto& socket) {
        read_head(socket);
        say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
        wait.wait();
        say(socket, "3\r\ncde\r\n0\r\n\r\n");
    });
    std::string all;
    const auto got = fetch_parts(slow.url(), {}, {}, [&](std::string_view part) {
        all += part;
        if (all == "ab") came.set_value();
        return true;
    });
    BOOST_TEST(got->status == 200U);
    BOOST_TEST(got->body.empty());
    BOOST_TEST(all == "abcde");
    const auto enough = fetch_parts(slow.url(), {}, {}, [](auto) { return false; });
    BOOST_TEST(enough->status == 200U);
}

BOOST_AUTO_TEST_CASE(what_is_no_200_is_whole) {
    bare_server refuses([](auto& socket) {
        read_head(socket);
        say(socket, "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\nno");
    });
    const auto got = fetch_parts(refuses.url(), {}, {}, [](auto) {
        BOOST_TEST(false);
        return true;
    });
    BOOST_TEST(got->status == 503U);
    BOOST_TEST(got->body == "no");
    BOOST_TEST((got->retry_after() == std::chrono::seconds(7)));
}

BOOST_AUTO_TEST_CASE(a_stream_that_falls_silent_or_lasts_too_long_ends) {
    bare_server silent([](auto& socket) {
        read_head(socket);
        say(socket, "HTTP/1.1 200 OK\r\n\r\nab");
        read_head(socket);  // until the client has gone
    });
    stream_times silence;
    silence.silence = std::chrono::milliseconds(20);
    stream_times end;
    end.until = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    for (const stream_times& it : {silence, end}) {
        const auto got = fetch_parts(silent.url(), {}, it, [](auto) { return true; });
        BOOST_TEST(got.error().code == make_error_code(errc::unavailable));
    }
}

BOOST_AUTO_TEST_CASE(a_wish_to_wait_is_a_number_of_seconds) {
    fetch_response it;
    BOOST_TEST(!it.retry_after());
    for (const char* text : {"", "-1", "1.5", "1s", "Fri, 31 Dec 1999 23:59:59 GMT", "86401",
                             "99999999999999999999"}) {
        it.fields = {{"Retry-After", text}};
        BOOST_TEST(!it.retry_after(), text);
    }
    it.fields = {{"retry-after", "86400"}};
    BOOST_TEST((it.retry_after() == std::chrono::hours(24)));
}
