#include "client/http_client.hpp"

#include "bare_server.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <semaphore>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

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

BOOST_AUTO_TEST_CASE(a_status_that_suffices_does_not_depend_on_the_body) {
    const std::string large(2 * 1024 * 1024, 'a');
    struct row {
        std::string bytes;
        bool holds;  // the connection, and says nothing more
        unsigned status;
    };
    const std::vector<row> rows{
        {"HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n" + large, false, 200},
        {"HTTP/1.1 200 OK\r\n\r\n" + large, false, 200},
        {"HTTP/1.1 409 No\r\nContent-Length: 2097152\r\n\r\n" + large, false, 409},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false, 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true, 200},
        {"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, 201},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", false, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", false, 0}};
    for (const row& it : rows) {
        BOOST_TEST_CONTEXT(it.bytes.substr(0, 60)) {
            bare_server server([&](auto& socket) {
                read_request(socket);
                say(socket, it.bytes);
                if (it.holds) wait_for_end(socket);
            });
            http_client_options options;
            options.drain_timeout = std::chrono::milliseconds(20);
            http_client client(server.url(), options);
            fetch_request what;
            what.status_suffices = true;
            std::promise<result<fetch_response>> told;
            client.fetch(what, {}, [&](auto got) { told.set_value(std::move(got)); });
            const auto got = told.get_future().get();
            BOOST_TEST((got ? got->status : 0U) == it.status);
        }
    }
}

// Stopped while the rest of the body is read: the answer was there before.
BOOST_AUTO_TEST_CASE(an_answer_that_was_there_outlives_its_stop) {
    std::promise<void> said;
    bare_server halting([&](auto& socket) {
        read_request(socket);
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        say(socket, std::string(64 * 1024 * 1024, 'a'));  // more than fits unless the client reads
        said.set_value();
        wait_for_end(socket);
    });
    std::promise<unsigned> told;
    {
        http_client_options options;
        options.drain_timeout = std::chrono::hours(1);
        options.body_max = 2'000'000'000;
        http_client client(halting.url(), options);
        fetch_request what;
        what.status_suffices = true;
        client.fetch(what, {}, [&](auto got) { told.set_value(got ? got->status : 0U); });
        said.get_future().wait();
    }
    BOOST_TEST(told.get_future().get() == 200U);
}
