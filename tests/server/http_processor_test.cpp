#include "processors/http_processor.hpp"

#include "http/server.hpp"
#include "processor_run.hpp"

#include <map>
#include <string>

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
