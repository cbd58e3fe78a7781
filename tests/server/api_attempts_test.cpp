// POST /orders/{order_id}/attempts/{attempt_token}.

#include "api_fixture.hpp"
#include "auth_fixture.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using namespace std::chrono_literals;

namespace {

struct answered : api_fixture {
    answered() { served = &answering_service; }

    // An attempt that was begun, and its path.
    struct begun {
        attempt_reference of;
        std::string path;
    };
    begun begin(std::string_view id) {
        if (get("/orders/" + std::string(id)).status == 404) create(id);
        const claimed_order it = claim_one();
        begun out;
        out.of = {std::string(it.value.id.view()), it.lease, it.value.status, it.value.attempts};
        out.path = "/orders/" + out.of.order + "/attempts/" + tokens.make(out.of);
        return out;
    }
    answer post(const std::string& path, std::string_view body,
                std::vector<http::field> more = {}) {
        more.push_back({"Content-Type", "application/json"});
        return ask("POST", path, body, std::move(more));
    }
    std::string status_of(const std::string& id) {
        const std::string body = get("/orders/" + id).body;
        constexpr std::string_view name = R"("status":")";
        const auto at = body.find(name) + name.size();
        return body.substr(at, body.find('"', at) - at);
    }

    attempt_tokens tokens{std::string(43, 's')};
    api answering{orders, reads, [this] {
                      api_parts out;
                      out.attempts = &tokens;
                      out.retry.attempts_max = 2;
                      out.retry.jitter = 0;
                      return out;
                  }()};
    api_service answering_service{answering};
};

constexpr const char* done = R"({"advance":{}})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(attempts, answered)

BOOST_AUTO_TEST_CASE(an_attempt_is_answered_once) {
    const begun it = begin("A");
    const answer got = post(it.path, done);
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.says(R"("status":"COMPLETED")"));
    BOOST_TEST(got.find("ETag").value_or("") == "\"3\"");
    for (const char* body : {done, R"({"fail":{"reason":"x"}})", R"({"retry":{}})",
                             R"({"extend":{"timeout_seconds":60}})"}) {
        const answer late = post(it.path, body);
        BOOST_TEST(late.status == 409, body);
        BOOST_TEST(late.says(R"("code":"attempt_over")"), body);
        BOOST_TEST(!late.says("COMPLETED"), body);
    }
    BOOST_TEST(status_of("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(the_same_answer_with_its_key_is_a_replay) {
    const begun it = begin("A");
    const http::field key{"Idempotency-Key", "parcel-1"};
    const answer first = post(it.path, done, {key});
    const answer again = post(it.path, done, {key});
    BOOST_TEST(first.status == 200);
    BOOST_TEST(again.status == 200);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.find("Idempotency-Replayed").value_or("") == "true");
    BOOST_TEST(post(it.path, R"({"retry":{}})", {key}).status == 422);
    BOOST_TEST(post(it.path, done, {{"Idempotency-Key", "parcel-2"}}).status == 409);
}

// The key of one attempt's answer is not that of the next one's.
BOOST_AUTO_TEST_CASE(a_key_belongs_to_one_attempt) {
    const http::field key{"Idempotency-Key", "A"};
    const begun first = begin("A");
    const char* const later = R"({"retry":{"delay_seconds":0,"reason":"no van"}})";
    BOOST_TEST(post(first.path, later, {key}).status == 200);
    const begun second = begin("A");
    BOOST_TEST(second.of.number == 2U);
    const answer got = post(second.path, later, {key});
    BOOST_TEST(got.status == 422);
    BOOST_TEST(got.says("idempotency_mismatch"));
    BOOST_TEST(status_of("A") == "PROCESSING");
}

BOOST_AUTO_TEST_CASE(an_attempt_is_put_off_failed_and_extended) {
    begun it = begin("A");
    const answer later =
        post(it.path, R"({"retry":{"delay_seconds":600,"reason":"no van today"}})");
    BOOST_TEST(later.status == 200);
    BOOST_TEST(later.says(R"("status":"PENDING")"));
    BOOST_TEST(later.says(R"("last_error":"no van today")"));
    time.advance(600s);
    it = begin("A");
    BOOST_TEST(post(it.path, R"({"retry":{}})").says(R"("status":"FAILED")"));  // its last one
    BOOST_TEST(get("/orders/A").says(R"("last_error":"no reason was given")"));

    it = begin("B");
    const answer failed = post(it.path, R"({"fail":{"reason":"lost at sea"}})");
    BOOST_TEST(failed.says(R"("status":"FAILED")"));
    BOOST_TEST(failed.says(R"("last_error":"lost at sea")"));

    it = begin("C");
    const answer longer =
        post(it.path, R"({"extend":{"timeout_seconds":3600}})", {{"Idempotency-Key", "again"}});
    BOOST_TEST(longer.status == 200);
    BOOST_TEST(longer.says(R"("status":"PROCESSING")"));
    BOOST_TEST(
        post(it.path, R"({"extend":{"timeout_seconds":3600}})", {{"Idempotency-Key", "again"}})
            .find("Idempotency-Replayed")
            .value_or("") == "true");
    time.advance(3599s);
    claim take;
    take.stage = &orders.machine().stages()[0];
    take.worker_id = "w2";
    take.expires_at = time.now() + 60s;
    take.limit = 1;
    struct : claim_completion {
        void complete(error_code, claim_outcome& it) noexcept override { got = std::move(it); }
        claim_outcome got;
    } claimed;
    BOOST_REQUIRE(orders.submit(take, claimed).has_value());
    BOOST_REQUIRE(orders.run_once().has_value());
    BOOST_TEST(claimed.got.released == 0U);
    BOOST_TEST(post(it.path, done).status == 200);
}

BOOST_AUTO_TEST_CASE(only_the_token_of_the_attempt_counts) {
    const begun it = begin("A");
    const begun other = begin("B");
    const std::string of_other = other.path.substr(other.path.rfind('/'));
    attempt_reference next = it.of;
    next.lease = lease_token{static_cast<std::uint64_t>(it.of.lease) + 1};
    const attempt_tokens elsewhere(std::string(43, 't'));
    for (const std::string& token :
         {of_other, "/" + tokens.make(next), "/" + elsewhere.make(it.of), std::string("/x"),
          std::string("/%zz"), "/1.1.PROCESSING." + std::string(32, '0')}) {
        const answer got = post("/orders/A/attempts" + token, done);
        BOOST_TEST(got.status == 409, token);
        BOOST_TEST(got.says("attempt_over"), token);
    }
    // Of an order that is not there, whatever the token is.
    BOOST_TEST(
        post("/orders/NONE/attempts/" + tokens.make({"NONE", {}, "PROCESSING", 1}), done).status ==
        404);
    BOOST_TEST(post("/orders/NONE/attempts/x", done).status == 404);
    BOOST_TEST(post("/orders/A/attempts", done).status == 404);
    BOOST_TEST(post("/orders/A/attempts/", done).status == 404);
    BOOST_TEST(post("/orders/A/attempts/x/y", done).status == 404);
    BOOST_TEST(get("/orders/A/attempts/x").status == 405);
    BOOST_TEST(post(it.path, done).status == 200);
}

// An attempt is over as soon as somebody has moved the order.
BOOST_AUTO_TEST_CASE(a_move_ends_the_attempt) {
    const begun it = begin("A");
    raise("A", "fail");
    BOOST_TEST(post(it.path, done).status == 409);
    raise("A", "retry");
    const begun next = begin("A");
    BOOST_TEST(post(it.path, done).status == 409);
    BOOST_TEST(post(next.path, done).status == 200);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_an_answer_is_said) {
    const begun it = begin("A");
    BOOST_TEST(post(it.path, "").status == 400);
    BOOST_TEST(post(it.path, "{}").status == 422);
    const answer unknown = post(it.path, R"({"advance":{"event":"ship"}})");
    BOOST_TEST(unknown.status == 422);
    BOOST_TEST(unknown.says(R"("pointer":"#/advance/event","code":"unknown_event")"));
    BOOST_TEST(unknown.says("ends by complete"));
    BOOST_TEST(ask("POST", it.path, done, {{"Content-Type", "text/plain"}}).status == 415);
    BOOST_TEST(post(it.path + "?x=1", done).status == 400);
    BOOST_TEST(status_of("A") == "PROCESSING");
    served = &service;  // of a storage without records
    BOOST_TEST(post(it.path, done).status == 501);
}

// The actor is who asks; somebody else's order is not there; a bound key is not told of the work.
BOOST_AUTO_TEST_CASE(who_answers_is_the_actor) {
    auth_fixture keys;
    auth::authenticator judge(&keys.table, {}, 7);
    api_parts parts;
    parts.attempts = &tokens;
    parts.auth = &judge;
    api guarded(orders, reads, std::move(parts));
    api_service guarded_service(guarded);
    const begun first = begin("A");
    const begun second = begin("B");
    const auto carrier =
        keys.make("carrier", {auth::scope::orders_write, auth::scope::orders_read});
    const auto reads_only = keys.make("reads", {auth::scope::orders_read, auth::scope::operate});
    const auto stranger = keys.make("stranger", {auth::scope::orders_write},
                                    [](auth::api_key& it) { it.user = "7"; });
    const auto owner =
        keys.make("owner", {auth::scope::orders_write}, [](auth::api_key& it) { it.user = "123"; });
    keys.refresh();
    served = &guarded_service;
    const auto with = [&](const auth::key_admin::made_key& key, const std::string& path,
                          std::string_view body) {
        const std::string value = "Bearer " + key.text;
        return post(path, body, {{"Authorization", value}});
    };
    BOOST_TEST(with(reads_only, first.path, done).status == 403);
    BOOST_TEST(post(first.path, done).status == 401);
    BOOST_TEST(with(stranger, first.path, done).status == 404);
    BOOST_TEST(with(carrier, first.path, done).status == 200);
    const std::string value = "Bearer " + carrier.text;
    BOOST_TEST(ask("GET", "/orders/A/history", {}, {{"Authorization", value}})
                   .says(R"("event":"complete","from":"PROCESSING","to":"COMPLETED",)"
                         R"("actor":"key:carrier")"));
    const answer failed = with(owner, second.path, R"({"fail":{"reason":"secret"}})");
    BOOST_TEST(failed.status == 200);
    BOOST_TEST(!failed.says("secret"));
}

BOOST_AUTO_TEST_SUITE_END()
