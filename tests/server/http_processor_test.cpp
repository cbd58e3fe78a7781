#include "processors/http_processor.hpp"

#include "bare_server.hpp"
#include "http/server.hpp"
#include "processor_run.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

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

BOOST_FIXTURE_TEST_CASE(a_credential_goes_with_each_request, fixture) {
    request_credential credential;
    credential.fields = {{"Authorization", "Bearer SECRET"}};
    std::string signed_id, signed_body;
    credential.sign = [&](std::string_view id, std::string_view body) -> result<http_fields> {
        signed_id = id;
        signed_body = body;
        return http_fields{{"webhook-id", signed_id}, {"webhook-signature", "v1,x"}};
    };
    const auto work =
        make_http_processor(to(), "complete", {}, order_model::standard(), credential);
    BOOST_TEST((run.one(*work).outcome == attempt_outcome::advanced));
    BOOST_TEST(far.asked_fields["Authorization"] == "Bearer SECRET");
    BOOST_TEST(far.asked_fields["webhook-id"] == "ORD-1/PROCESSING");
    BOOST_TEST(far.asked_fields["webhook-signature"] == "v1,x");
    BOOST_TEST(signed_body == far.asked_body);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_signed_is_not_sent, fixture) {
    request_credential credential;
    credential.sign = [](std::string_view, std::string_view) -> result<http_fields> {
        return failure{errc::unavailable, "no memory for it"};
    };
    const auto work =
        make_http_processor(to(), "complete", {}, order_model::standard(), credential);
    const attempt later = run.one(*work);
    BOOST_TEST((later.outcome == attempt_outcome::retried));
    BOOST_TEST(later.reason == "no memory for it");
    BOOST_TEST(far.connections == 0U);
}

// Two ids never become one.
BOOST_AUTO_TEST_CASE(a_signed_id_has_no_full_stop) {
    request_credential credential;
    std::vector<std::string> ids;
    credential.sign = [&](std::string_view id, std::string_view) -> result<http_fields> {
        ids.emplace_back(id);
        return http_fields();
    };
    for (const char* id : {"a.b/PACKING", "a%2Eb/PACKING", "a%b", "plain"}) {
        fetch_request what;
        BOOST_TEST(credential.add_to(what, id).has_value());
    }
    const std::vector<std::string> expected{"a%2Eb/PACKING", "a%252Eb/PACKING", "a%25b", "plain"};
    BOOST_TEST(ids == expected, boost::test_tools::per_element());
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
    for (const unsigned status : {400U, 401U, 403U, 404U, 405U, 407U, 408U, 410U, 413U, 425U, 429U,
                                  500U, 501U, 502U, 503U, 504U, 599U}) {
        const attempt later = ask(status, "<html>");
        BOOST_TEST((later.outcome == attempt_outcome::retried), status);
        BOOST_TEST(later.reason == "the server answered " + std::to_string(status));
    }
    for (const unsigned status : {300U, 301U, 302U, 303U, 304U, 307U, 308U}) {
        const attempt later = ask(status, {}, "Location: /elsewhere\r\n");
        BOOST_TEST((later.outcome == attempt_outcome::retried), status);
        BOOST_TEST(later.reason == "the server answered " + std::to_string(status) +
                                       ", and redirects are not followed");
        BOOST_TEST(far.asked_path == "/work");
    }
}

// 202 hands the work over: whoever was sent the token answers it.
BOOST_FIXTURE_TEST_CASE(accepted_work_is_handed_over, fixture) {
    const attempt_tokens tokens(std::string(43, 's'));
    const auto work = make_http_processor(to(), "complete", {}, order_model::standard(), {},
                                          {&tokens, std::chrono::hours(2)});
    far.says.status = 202;
    const attempt accepted = run.one(*work);
    BOOST_TEST((accepted.outcome == attempt_outcome::handed_over));
    BOOST_TEST(accepted.after.status.view() == "PROCESSING");
    const auto of = tokens.read("ORD-1", far.asked_fields["Orderproc-Attempt"]);
    BOOST_REQUIRE(of);
    BOOST_TEST(of->stage.view() == "PROCESSING");
    BOOST_TEST(of->number == 1U);
    far.says.status = 200;
    BOOST_TEST((run.one(*work).outcome == attempt_outcome::advanced));
}

BOOST_FIXTURE_TEST_CASE(a_server_may_ask_to_wait_in_seconds_or_until_a_date, fixture) {
    const attempt asked = ask(503, {}, "Retry-After: 3600\r\n");
    const auto wait = *asked.after.next_attempt_at - asked.after.updated_at;
    BOOST_TEST(wait.count() > 2'000'000);  // an hour, and not the policy's seconds
    const attempt dated =
        ask(429, {}, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n");  // at most a day
    const auto until = *dated.after.next_attempt_at - dated.after.updated_at;
    BOOST_TEST(until.count() > 80'000'000);
    BOOST_TEST(until.count() < 90'000'000);
}

// The work is done: it must not be asked for again because of a body that nobody reads.
BOOST_FIXTURE_TEST_CASE(an_answer_may_be_large_or_cut_off, fixture) {
    using orderproc::server::testing::bare_server;
    using orderproc::server::testing::read_request;
    using orderproc::server::testing::say;
    const std::string large(2 * 1024 * 1024, 'a');
    const std::vector<std::pair<std::string, attempt_outcome>> rows{
        {"HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n" + large, attempt_outcome::advanced},
        {"HTTP/1.1 200 OK\r\n\r\n" + large, attempt_outcome::advanced},
        {"HTTP/1.1 201 OK\r\nContent-Length: 9\r\n\r\nhalf", attempt_outcome::advanced},
        {"HTTP/1.1 409 No\r\nContent-Length: 2097152\r\n\r\n" + large, attempt_outcome::gave_up},
        {"HTTP/1.1 100 Continue\r\n\r\n", attempt_outcome::retried},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nok", attempt_outcome::retried}};
    for (const auto& [bytes, outcome] : rows) {
        bare_server bare([&, text = bytes](auto& socket) {
            if (!read_request(socket).empty()) say(socket, text);
        });
        const attempt ended = run.one(*make_http_processor(bare.url(), "complete"));
        BOOST_TEST((ended.outcome == outcome), bytes.substr(0, 60));
    }
}

BOOST_FIXTURE_TEST_CASE(it_takes_as_many_jobs_as_it_has_connections, fixture) {
    http_client_options options;
    options.connections_max = 7;
    BOOST_TEST(make_http_processor(to(), "complete", options)->capacity() == 7U);
}

// The attempt's time-out ends what hangs; the client has none of its own.
BOOST_FIXTURE_TEST_CASE(a_job_that_hangs_ends_with_its_attempt, fixture) {
    orderproc::server::testing::bare_server hangs([](auto& socket) {
        orderproc::server::testing::read_request(socket);
        orderproc::server::testing::wait_for_end(socket);
    });
    run.options.timeout = std::chrono::milliseconds(50);
    const attempt ended = run.one(*make_http_processor(hangs.url(), "complete"));
    BOOST_TEST((ended.outcome == attempt_outcome::timed_out));
    BOOST_TEST(hangs.accepted == 1);
}

// A host may have stored any text as the trace of a request.
BOOST_FIXTURE_TEST_CASE(no_answer_is_to_be_tried_again, fixture) {
    const http_url gone = to();
    server.reset();
    const attempt refused = run.one(*make_http_processor(gone, "complete"));
    BOOST_TEST((refused.outcome == attempt_outcome::retried));
    BOOST_TEST(refused.reason.find("refused") != std::string::npos);
}
