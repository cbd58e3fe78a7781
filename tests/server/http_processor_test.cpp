#include "processors/http_processor.hpp"

#include "http/server.hpp"
#include "processor_run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <semaphore>
#include <thread>

using namespace orderproc;
using namespace orderproc::server;
using orderproc::server::testing::attempt;
using orderproc::server::testing::processor_run;

namespace {

// Says what it is told to, and remembers what it was asked.
class far_side final : public http::service {
public:
    http::response says;
    std::string asked_path, asked_body;
    std::map<std::string, std::string> asked_fields;
    std::size_t connections = 0;

    std::unique_ptr<http::session> open(http::exchange&) override {
        ++connections;
        return std::make_unique<session>(*this);
    }

private:
    class session final : public http::session {
    public:
        explicit session(far_side& of) : of_(of) {}
        http::step begin(const http::request& in, http::response& out) noexcept override {
            of_.asked_path = in.path;
            of_.asked_body = in.body;
            for (const http::field& it : in.fields) {
                of_.asked_fields[std::string(it.name)] = it.value;
            }
            out.status = of_.says.status;
            out.content_type = of_.says.content_type;
            out.fields = of_.says.fields;
            out.body = of_.says.body;
            return http::step::answered;
        }
        http::step resume(const http::request&, http::response&) noexcept override {
            return http::step::answered;
        }

    private:
        far_side& of_;
    };
};

struct fixture {
    attempt ask(unsigned status, std::string body = {}, std::string fields = {}) {
        far.says.status = status;
        far.says.body = std::move(body);
        far.says.fields = std::move(fields);
        return run.one(*make_http_processor(to(), "complete"), "{}", trace);
    }
    http_url to() const {
        return parse_http_url("http://127.0.0.1:" + std::to_string(server->port()) + "/work")
            .value();
    }

    const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    processor_run run;
    far_side far;
    std::unique_ptr<http::server> server = http::server::open({}, far).value();
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_order_is_posted_with_its_key_and_trace, fixture) {
    BOOST_TEST((ask(204).outcome == attempt_outcome::advanced));
    BOOST_TEST(far.asked_path == "/work");
    BOOST_TEST(far.asked_body.find(R"("order_id":"ORD-1")") != std::string::npos);
    BOOST_TEST(far.asked_fields["Content-Type"] == "application/json");
    BOOST_TEST(far.asked_fields["Idempotency-Key"] == "ORD-1/PROCESSING");
    BOOST_TEST(far.asked_fields["traceparent"] == trace);
}

BOOST_FIXTURE_TEST_CASE(answers_are_verdicts, fixture) {
    for (const unsigned status : {200U, 201U, 202U}) {
        BOOST_TEST((ask(status, "{}").outcome == attempt_outcome::advanced), status);
    }
    for (const unsigned status : {409U, 422U}) {
        const attempt refused = ask(status, R"({"title":"No","detail":"sold out"})");
        BOOST_TEST((refused.outcome == attempt_outcome::gave_up), status);
        BOOST_TEST(refused.reason ==
                   "the server answered " + std::to_string(status) + ": sold out");
    }
    for (const unsigned status : {301U, 400U, 404U, 429U, 500U, 503U}) {
        const attempt later = ask(status, "<html>");
        BOOST_TEST((later.outcome == attempt_outcome::retried), status);
        BOOST_TEST(later.reason == "the server answered " + std::to_string(status));
    }
    const attempt asked = ask(503, {}, "Retry-After: 3600\r\n");
    const auto wait = *asked.after.next_attempt_at - asked.after.updated_at;
    BOOST_TEST(wait.count() > 2'000'000);  // an hour, and not the policy's seconds
}

BOOST_FIXTURE_TEST_CASE(no_answer_is_to_be_tried_again, fixture) {
    const http_url gone = to();
    server.reset();
    const attempt refused = run.one(*make_http_processor(gone, "complete"));
    BOOST_TEST((refused.outcome == attempt_outcome::retried));
    BOOST_TEST(refused.reason.find("refused") != std::string::npos);
}

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
