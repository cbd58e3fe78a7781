// Tokens over real sockets: what makes an order, what is refused and how, limits, and the end of a
// stream.

#include "api/event_stream.hpp"
#include "api_fixture.hpp"
#include "http/server.hpp"
#include "token_fixture.hpp"

#include <orderproc/feed.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using std::chrono::seconds;

namespace {

struct listening : token_fixture {
    listening() { open(); }

    // Begins anew, with what the issuers say now and nobody's failures.
    void open() {
        server.reset();
        service.reset();
        handlers.reset();
        reset();
        auth::authenticator_options options;
        options.tokens = table.get();
        options.refused = [this](const auth::refused_credential& it) {
            log.push_back(std::string(it.issuer) + " " + std::string(it.reason));
        };
        judge.emplace(nullptr, std::move(options), 7);
        api_parts parts;
        parts.auth = &*judge;
        parts.feed = &feed;
        parts.bound_feed = &bound_feed;
        handlers = std::make_unique<api>(orders, reads_of_orders, std::move(parts));
        service = std::make_unique<api_service>(*handlers);
        http::server_options how;
        how.admits.sites = http::site_rules{{}, true, {}};
        how.heartbeat = std::chrono::milliseconds(20);
        server = http::server::open(how, *service).value();
    }

    client call() { return client(server->port()); }
    static std::string head(const std::string& sent, std::string_view line) {
        return std::string(line) + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + sent +
               "\r\n";
    }
    static std::string get(const std::string& sent, std::string_view target = "/orders") {
        return head(sent, "GET " + std::string(target)) + "\r\n";
    }
    static std::string post(const std::string& sent, std::string_view target,
                            const std::string& body, std::string_view more = {}) {
        return head(sent, "POST " + std::string(target)) + std::string(more) +
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

    engine_options threaded;
    moody_storage store_of_orders;
    engine orders{store_of_orders, status_machine::standard(), system_runtime(nobody), threaded};
    read_pool reads_of_orders{store_of_orders};
    reader feed_reads{store_of_orders, 1};
    live_feed feed{orders, feed_reads, event_feed("/test")};
    reader bound_reads{store_of_orders, 1};
    live_feed bound_feed{orders, bound_reads, bound_event_feed("/test")};
    std::vector<std::string> log;
    std::optional<auth::authenticator> judge;
    std::unique_ptr<api> handlers;
    std::unique_ptr<api_service> service;
    std::unique_ptr<http::server> server;
};

const std::string small_order = R"({"user_id":42,"item_ids":[1],"total_amount":1})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tokens_over_sockets, listening)

BOOST_AUTO_TEST_CASE(a_token_makes_an_order) {
    publish(0, {named(rsa, "r"), named(es256, "a"), named(ed25519, "e")});
    open();
    client caller = call();
    for (const auto& [key, name] :
         {std::pair{&rsa, "r"}, std::pair{&es256, "a"}, std::pair{&ed25519, "e"}}) {
        const std::string sent = token(*key, name);
        answer got = caller.ask(post(sent, "/orders", small_order));
        BOOST_TEST(got.status == 201);
        const std::string path =
            "/orders/" + got.find("Location")
                             .value_or("")
                             .substr(got.find("Location").value_or("").rfind('/') + 1);
        got = caller.ask(get(sent, path + "/history"));
        BOOST_TEST(got.status == 200);
        BOOST_TEST(got.says(R"("actor":"jwt:one.example:alice")"));
    }
}

BOOST_AUTO_TEST_CASE(the_next_token_of_a_subject_replays) {
    client caller = call();
    const std::string once = "Idempotency-Key: once\r\n";
    const answer first = caller.ask(post(token(es256), "/orders", small_order, once));
    BOOST_TEST(first.status == 201);
    clock.advance(seconds(1));
    const answer second = caller.ask(post(token(es256), "/orders", small_order, once));
    BOOST_TEST(second.status == 201);
    BOOST_TEST(second.find("Idempotency-Replayed").value_or("") == "true");
    BOOST_TEST(second.body == first.body);
    const std::string bob = token(es256, "a", "https://one.example", 300, "bob");
    const std::string elsewhere = token(ed25519, "b", "https://two.example");
    for (const std::string& other : {bob, elsewhere}) {
        const answer got = caller.ask(post(other, "/orders", small_order, once));
        BOOST_TEST(got.status == 201);
        BOOST_TEST(!got.find("Idempotency-Replayed"));
    }
}

// Rows 12 to 21 of the attacks, each by an attack or two: jwt_test has the others.
BOOST_AUTO_TEST_CASE(forged_tokens_over_http) {
    publish(0, {named(es256, "a"), named(rsa, "r")});
    open();
    const std::string good = token(es256);
    const std::string claims = R"({"iss":"https://one.example","sub":"alice","aud":"orderproc",)"
                               R"("scope":"orders:read","exp":)" +
                               std::to_string(now_s() + 300);
    const std::string whole = claims + "}";
    const std::string open_claims = R"({"iss":"https://one.example","sub":"alice",)"
                                    R"("scope":"orders:read")";
    const std::string exp = R"(,"aud":"orderproc","exp":)" + std::to_string(now_s() + 300) + "}";
    const signing_key mine(signing_key::type::es256);
    const std::string none = unsigned_token(R"({"alg":"none","kid":"a"})", whole);
    const std::string hs = unsigned_token(R"({"alg":"HS256","kid":"r"})", whole);
    const std::string plain = R"({"alg":"ES256","kid":"a"})";
    const std::string unsigned_one = unsigned_token(plain, whole);
    const std::string raw = es256.sign(unsigned_one);
    const auto by = [&](std::string_view header, std::string_view said) {
        return sign_token(es256, header, said);
    };
    const std::pair<const char*, std::string> rows[] = {
        {"12: none", none + "."},
        {"12: none, signed", by(R"({"alg":"none","kid":"a"})", whole)},
        {"12: an array", by(R"({"alg":["ES256"],"kid":"a"})", whole)},
        {"12: absent", by(R"({"kid":"a"})", whole)},
        {"13: PEM", hs + "." + to_base64url(hmac_sha256(rsa.public_pem(), hs))},
        {"13: DER", hs + "." + to_base64url(hmac_sha256(rsa.public_der(), hs))},
        {"14: PS256", sign_token(rsa, R"({"alg":"PS256","kid":"r"})", whole)},
        {"14: ES256 by RSA", sign_token(rsa, R"({"alg":"ES256","kid":"r"})", whole)},
        {"14: EdDSA by EC", by(R"({"alg":"EdDSA","kid":"a"})", whole)},
        {"14: P-384", sign_token(signing_key::of(signing_key::type::es384), plain, whole)},
        {"15: of another issuer", token(ed25519, "b")},
        {"15: a path", by(R"({"alg":"ES256","kid":"../../dev/null"})", whole)},
        {"15: SQL", by(R"({"alg":"ES256","kid":"' OR 1=1"})", whole)},
        {"15: NUL", by(R"({"alg":"ES256","kid":"a\u0000"})", whole)},
        {"15: long", by(R"({"alg":"ES256","kid":")" + std::string(3000, 'k') + "\"}", whole)},
        {"16: jwk",
         sign_token(mine, R"({"alg":"ES256","kid":"a","jwk":{)" + mine.jwk() + "}}", whole)},
        {"16: jku",
         sign_token(mine, R"({"alg":"ES256","kid":"a","jku":"https://x.example"})", whole)},
        {"17: crit", by(R"({"alg":"ES256","kid":"a","crit":["exp"]})", whole)},
        {"17: b64", by(R"({"alg":"ES256","kid":"a","b64":false})", whole)},
        {"17: two parts", good.substr(0, good.rfind('.'))},
        {"17: four parts", good + ".AAAA"},
        {"17: five parts", good + ".AAAA.AAAA"},
        {"18: zeros", unsigned_one + "." + to_base64url(std::string(64, '\0'))},
        {"18: DER", unsigned_one + "." + to_base64url(signing_key::der_of(raw))},
        {"18: 63 bytes", unsigned_one + "." + to_base64url(raw.substr(0, 63))},
        {"18: 65 bytes", unsigned_one + "." + to_base64url(raw + '\0')},
        {"18: none", unsigned_one + "."},
        {"19: past", token(es256, "a", "https://one.example", -31)},
        {"19: absent", by(plain, open_claims + R"(,"aud":"orderproc"})")},
        {"19: a text", by(plain, open_claims + R"(,"aud":"orderproc","exp":"9999999999"})")},
        {"19: negative", by(plain, open_claims + R"(,"aud":"orderproc","exp":-1})")},
        {"19: 1e400", by(plain, open_claims + R"(,"aud":"orderproc","exp":1e400})")},
        {"19: 2^63", by(plain, open_claims + R"(,"aud":"orderproc","exp":9223372036854775808})")},
        {"19: nbf", by(plain, claims + R"(,"nbf":)" + std::to_string(now_s() + 31) + "}")},
        {"19: ten years", token(es256, "a", "https://one.example", 315'360'000)},
        {"20: no aud", by(plain, open_claims + R"(,"exp":)" + std::to_string(now_s() + 9) + "}")},
        {"20: a prefix", by(plain, R"({"iss":"https://one.example","sub":"a","aud":"order")" +
                                       exp.substr(exp.find(R"(,"exp")")))},
        {"20: iss", token(es256, "a", "https://one.example/")},
        {"21: two sub", by(plain, claims + R"(,"sub":"bob"})")},
        {"21: two alg", by(R"({"alg":"ES256","alg":"ES256","kid":"a"})", whole)},
        {"21: BOM", by(plain, "\xef\xbb\xbf" + whole)},
        {"21: deep",
         by(plain, claims + R"(,"x":)" + std::string(40, '[') + std::string(40, ']') + "}")},
        {"21: padding", good + "="},
        {"21: a space", good + " x"},
        {"21: another alphabet", good.substr(0, good.size() - 2) + "+/"},
    };
    const int before = fetched;
    std::string body;
    for (const auto& [name, sent] : rows) {
        client caller = call();
        answer got = caller.ask(get(sent));
        if (got.status == 429) {  // enough failures for a while
            open();
            got = call().ask(get(sent));
        }
        BOOST_TEST(got.status == 401, name);
        BOOST_TEST(
            got.find("WWW-Authenticate").value_or("").find("invalid_token") != std::string::npos,
            name);
        const std::string said = got.body.substr(0, got.body.find("\"request_id\""));
        if (body.empty()) body = said;
        BOOST_TEST(said == body, name);
    }
    BOOST_TEST(call().ask(get(good)).status == 200);
    BOOST_TEST(fetched - before <= 4);  // by open() alone
    for (const std::string& it : log) BOOST_TEST(it.size() < 40U);
}

// Row 19, of a token that is hardly past, and row 20, of an array.
BOOST_AUTO_TEST_CASE(what_is_nearly_wrong_counts) {
    client caller = call();
    BOOST_TEST(caller.ask(get(token(es256, "a", "https://one.example", -29))).status == 200);
    const std::string claims = R"({"iss":"https://one.example","sub":"a","aud":["x","orderproc"],)"
                               R"("scope":"orders:read","exp":)" +
                               std::to_string(now_s() + 300) + "}";
    BOOST_TEST(caller.ask(get(sign_token(es256, R"({"alg":"ES256","kid":"a"})", claims))).status ==
               200);
}

BOOST_AUTO_TEST_CASE(scopes_are_those_of_the_token) {
    client caller = call();
    const std::string sent = token(es256);
    BOOST_TEST(caller.ask(get(sent, "/metrics")).status == 200);
    const answer got = caller.ask(post(sent, "/orders/ORD-1/redact", ""));
    BOOST_TEST(got.status == 403);
    BOOST_TEST(got.says("erase"));
}

BOOST_AUTO_TEST_CASE(while_a_key_is_on_its_way_nobody_can_tell) {
    clock.advance(seconds(30));
    publish(0, {named(es256, "a"), named(rsa, "new")});
    const std::string sent = token(rsa, "new");
    const answer got = call().ask(get(sent));
    BOOST_TEST(got.status == 503);
    BOOST_TEST(got.says("credentials_unavailable"));
    BOOST_TEST(got.find("Retry-After").value_or("") == "1");
    look();
    BOOST_TEST(call().ask(get(sent)).status == 200);
    BOOST_TEST(call().ask(get(token(es256, "x"))).status == 401);
}

// A flood of wrong tokens costs no signatures, and keeps nobody waiting who was known before.
BOOST_AUTO_TEST_CASE(failures_are_limited_and_known_tokens_are_not) {
    const std::string known = token(es256);
    BOOST_TEST(call().ask(get(known)).status == 200);
    const signing_key mine(signing_key::type::es256);
    const std::string wrong = token(mine);
    client caller = call();
    int limited = 0;
    for (int i = 0; i < 400; ++i) {
        const int status = caller.ask(get(wrong)).status;
        BOOST_TEST((status == 401 || status == 429));
        if (status == 429) ++limited;
    }
    BOOST_TEST(limited > 0);
    BOOST_TEST(log.size() + static_cast<std::size_t>(limited) == 400U);
    clock.advance(seconds(61));  // to be verified anew
    BOOST_TEST(caller.ask(get(known)).status == 200);
}

BOOST_AUTO_TEST_CASE(a_stream_ends_with_its_token) {
    client ends = call();
    client goes_on = call();
    for (const auto& [caller, life] : {std::pair{&ends, 60}, std::pair{&goes_on, 600}}) {
        caller->send(get(token(es256, "a", "https://one.example", life), "/events"));
        const answer got = caller->read(false);
        BOOST_TEST(got.status == 200);
        BOOST_TEST(caller->read_until(":\n\n", got).find("retry:") != std::string::npos);
    }
    clock.advance(seconds(60));
    ends.read_to_the_end();
    BOOST_TEST(!ends.saw_the_end());  // broken off: the client is to come again
    BOOST_TEST(feed.subscriptions() == 1U);
}

BOOST_AUTO_TEST_CASE(a_bound_token_replays_nothing_of_another_binding) {
    issuers[0].user_claim = "uid";
    open();
    const auto of_user = [&](std::string_view uid) {
        return token(es256, "a", "https://one.example", 300, "alice",
                     R"(,"uid":)" + std::string(uid));
    };
    client caller = call();
    BOOST_TEST(caller.ask(get(token(es256))).status == 401);
    const std::string once = "Idempotency-Key: once\r\n";
    const std::string other_order = R"({"user_id":7,"item_ids":[1],"total_amount":1})";
    BOOST_TEST(caller.ask(post(of_user("42"), "/orders", small_order, once)).status == 201);
    BOOST_TEST(caller.ask(post(of_user("7"), "/orders", small_order, once)).status == 422);
    const answer other = caller.ask(post(of_user("7"), "/orders", other_order, once));
    BOOST_TEST(other.status == 201);  // the key is not taken
    BOOST_TEST(!other.find("Idempotency-Replayed"));
    BOOST_TEST(caller.ask(get(of_user("42"), "/metrics")).status == 403);
}

BOOST_AUTO_TEST_SUITE_END()
