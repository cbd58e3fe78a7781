// Who asks, what is paused, and who works.

#include "auth/audit.hpp"
#include "guarded_fixture.hpp"

#include <orderproc/pause.hpp>
#include <orderproc/worker_record.hpp>
#include <orderproc/write_records.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;
namespace js = boost::json;

namespace {

struct operated : guarded {
    operated() {
        operates = add("anna", {scope::read, scope::operate});
        reads_only = add("bob", {scope::read});
    }
    js::object object(const answer& got) {
        BOOST_REQUIRE_EQUAL(got.status, 200);
        BOOST_TEST(got.find("Cache-Control").value_or("") == "no-store");
        return js::parse(got.body).as_object();
    }
    js::array items(const answer& got) { return object(got).at("items").as_array(); }
    js::array pauses() { return items(with(reads_only, "GET", "/pauses")); }
    void write(std::vector<change_record> what) {
        bool ok = false;
        write_records(orders, std::move(what), [&](const result<void>& it) { ok = bool(it); });
        BOOST_REQUIRE(orders.run_once().has_value());
        BOOST_REQUIRE(ok);
    }
    std::vector<auth::audit_entry> audited() {
        return direct.use([](repository_reader& from) { return auth::list_audit(from); }).value();
    }
    std::size_t claimable() {
        claim take;
        take.stage = &orders.machine().stages()[0];
        take.worker_id = "w";
        take.expires_at = time.now() + std::chrono::minutes(1);
        take.limit = 10;
        struct : claim_completion {
            void complete(error_code, claim_outcome& it) noexcept override {
                count = it.orders.size();
            }
            std::size_t count = 0;
        } claimed;
        BOOST_REQUIRE(orders.submit(take, claimed).has_value());
        BOOST_REQUIRE(orders.run_once().has_value());
        return claimed.count;
    }

    std::string operates, reads_only;
};

std::string text(const js::value& it) {
    return it.is_null() ? "null" : std::string(it.as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(operate, operated)

BOOST_AUTO_TEST_CASE(who_asks) {
    js::object who = object(with(operates, "GET", "/whoami"));
    BOOST_TEST(text(who.at("principal")) == "key:anna");
    BOOST_TEST((who.at("scopes") == js::array{"read", "operate"}));
    for (const char* name : {"user", "tenant", "expires_at"}) BOOST_TEST(who.at(name).is_null());
    const std::string instance = text(who.at("instance"));
    BOOST_TEST(instance.size() >= 16U);
    who = object(with(reads_only, "GET", "/whoami"));
    BOOST_TEST(text(who.at("instance")) == instance);

    const std::string mine = add("mine", {scope::orders_read}, [](auth::api_key& it) {
        it.user = "42";
        it.expires_at = parse_timestamp("2099-01-02T03:04:05Z").value();
    });
    who = object(with(mine, "GET", "/whoami"));
    BOOST_TEST(text(who.at("user")) == "42");
    BOOST_TEST(text(who.at("expires_at")) == "2099-01-02T03:04:05.000Z");
    BOOST_TEST(with(mine, "GET", "/whoami?x=1").status == 400);
}

BOOST_AUTO_TEST_CASE(without_keys_nobody_in_particular_asks) {
    const answer got = ask("GET", "/whoami");
    BOOST_TEST(got.status == 401);  // there are keys
    served = &service;              // and here nobody is asked
    const js::object who = object(get("/whoami"));
    BOOST_TEST(who.at("principal").is_null());
    BOOST_TEST(who.at("scopes").as_array().size() == auth::scopes_in(auth::all_scopes).size());
}

BOOST_AUTO_TEST_CASE(all_work_is_paused_and_resumed) {
    BOOST_TEST(pauses().empty());
    const std::string all = add("shop", {scope::orders_write});
    BOOST_REQUIRE(create_with(all, "A", 1).status == 201);
    const js::array there =
        items(with(operates, "POST", "/pause", R"({"reason":"the gateway is down"})"));
    BOOST_REQUIRE_EQUAL(there.size(), 1U);
    BOOST_TEST(there[0].at("stage").is_null());
    BOOST_TEST(text(there[0].at("by")) == "key:anna");
    BOOST_TEST(text(there[0].at("reason")) == "the gateway is down");
    BOOST_TEST(text(there[0].at("since")) == to_string(time.now()));
    BOOST_TEST((pauses() == there));
    BOOST_TEST(claimable() == 0U);

    // Again: the first stays.
    time.advance(std::chrono::seconds(10));
    BOOST_TEST((items(with(operates, "POST", "/pause")) == there));
    BOOST_TEST(items(with(operates, "POST", "/resume")).empty());
    BOOST_TEST(pauses().empty());
    BOOST_TEST(claimable() == 1U);
    BOOST_TEST(items(with(operates, "POST", "/resume")).empty());

    const auto said = audited();
    std::vector<std::string> told;
    for (const auth::audit_entry& it : said) {
        if (it.action.starts_with("work."))
            told.push_back(it.actor + " " + it.action + " " + it.about);
    }
    BOOST_REQUIRE_EQUAL(told.size(), 2U);
    BOOST_TEST(told[0] == "key:anna work.pause all work, the gateway is down");
    BOOST_TEST(told[1] == "key:anna work.resume all work");
}

BOOST_AUTO_TEST_CASE(one_stage_is_paused_and_resumed) {
    js::array there = items(with(operates, "POST", "/pause", R"({"stage":"PROCESSING"})"));
    BOOST_REQUIRE_EQUAL(there.size(), 1U);
    BOOST_TEST(text(there[0].at("stage")) == "PROCESSING");
    there = items(with(operates, "POST", "/pause", "{}"));
    BOOST_REQUIRE_EQUAL(there.size(), 2U);
    BOOST_TEST(there[0].at("stage").is_null());
    BOOST_TEST((pauses() == there));

    const answer refused = with(operates, "POST", "/resume", R"({"stage":"PROCESSING"})");
    BOOST_TEST(refused.status == 409);
    BOOST_TEST(refused.says("\"code\":\"everything_paused\""));
    BOOST_TEST(items(with(operates, "POST", "/resume", R"({"stage":null})")).empty());
    BOOST_TEST(items(with(operates, "POST", "/pause", R"({"stage":"PROCESSING"})")).size() == 1U);
    BOOST_TEST(items(with(operates, "POST", "/resume", R"({"stage":"PROCESSING"})")).empty());
}

BOOST_AUTO_TEST_CASE(bodies_that_are_refused) {
    for (const char* path : {"/pause", "/resume"}) {
        BOOST_TEST_CONTEXT(path) {
            BOOST_TEST(with(operates, "POST", path, "{").status == 400);
            BOOST_TEST(with(operates, "POST", path, "[]").status == 422);
            BOOST_TEST(with(operates, "POST", path, R"({"stage":1})").status == 422);
            BOOST_TEST(with(operates, "POST", path, R"({"stage":"PENDING"})").status == 422);
            BOOST_TEST(with(operates, "POST", path, R"({"stage":""})").status == 422);
            BOOST_TEST(with(operates, "POST", path, R"({"nothing":1})").status == 422);
            BOOST_TEST(with(operates, "POST", std::string(path) + "?x=1").status == 400);
            BOOST_TEST(with(reads_only, "POST", path).status == 403);
            const std::string value = "Bearer " + operates;
            BOOST_TEST(ask("POST", path, "x", {{"Authorization", value}}).status == 415);
        }
    }
    const std::string longer(201, 'x');
    BOOST_TEST(with(operates, "POST", "/pause", R"({"reason":")" + longer + R"("})").status == 422);
    BOOST_TEST(with(operates, "POST", "/pause", R"({"reason":"a\nb"})").status == 422);
    BOOST_TEST(with(operates, "POST", "/resume", R"({"reason":"x"})").status == 422);
    BOOST_TEST(pauses().empty());
}

// Who comes second is told to look again.
BOOST_AUTO_TEST_CASE(two_at_a_time) {
    meanwhile = [this] {
        reads.run_once();  // the look at what there is; then somebody else is first
        change_record other;
        other.collection = "pauses";
        other.key = "*";
        other.value = "{}";
        const auto writer = store.connect_writer().value();
        record_outcome outcome;
        write_params params;
        params.now = time.now();
        params.writer = "other";
        params.sequence = 1;
        params.records = {&other, 1};
        write_results results{};
        results.records = {&outcome, 1};
        BOOST_REQUIRE(writer->write(params, results).has_value());
    };
    const answer got = with(operates, "POST", "/pause");
    BOOST_TEST(got.status == 409);
    BOOST_TEST(got.says("\"code\":\"version_conflict\""));
    BOOST_TEST(pauses().size() == 1U);
    // And what was not done is not in the audit.
    const auto said = audited();
    BOOST_TEST(std::none_of(said.begin(), said.end(),
                            [](const auto& it) { return it.action.starts_with("work."); }));
}

// The longest name that a token can have: "jwt:" and 252 bytes more.
BOOST_AUTO_TEST_CASE(whoever_may_pause_work_can) {
    const work_pause made{{}, time.now(), std::string(command::actor_size_max, 'x'), ""};
    const auto planned = direct.use(
        [&](repository_reader& from) { return pause_work(from, made, orders.machine()); });
    BOOST_REQUIRE(planned.has_value());
    write(*planned);
    BOOST_TEST(text(pauses()[0].at("by")) == made.by);
}

BOOST_AUTO_TEST_CASE(who_works) {
    const auto list = [this](const std::string& query) {
        return object(with(reads_only, "GET", "/workers" + query));
    };
    BOOST_TEST(list("").at("items").as_array().empty());
    worker_record said;
    said.host = "pack";
    said.process = 7;
    said.program = "1.2.3";
    said.started_at = time.now();
    said.stages = {"PROCESSING"};
    said.in_work = 18;
    said.capacity = 64;
    said.claimed = 5;
    const auto tell = [&](const char* name, std::chrono::seconds ago) {
        said.name = name;
        said.heard_at = time.now() - ago;
        write({to_record(said, 0)});
    };
    tell("a", std::chrono::seconds(0));
    tell("b", std::chrono::seconds(31));
    tell("c", std::chrono::seconds(46));
    said.draining = true;
    tell("d", std::chrono::seconds(0));

    const auto states = [&] {
        std::string out;
        const js::object whole = list("");
        for (const js::value& it : whole.at("items").as_array()) {
            out += text(it.at("name")) + " " + text(it.at("state")) + ", ";
        }
        return out;
    };
    BOOST_TEST(states() == "a working, b silent, c gone, d draining, ");
    const js::object first = list("?limit=1");
    const js::value& a = first.at("items").as_array()[0];
    BOOST_TEST(text(first.at("next")) == "a");
    BOOST_TEST(text(first.at("at")) == to_string(time.now()));
    BOOST_TEST(a.at("in_work").to_number<int>() == 18);
    BOOST_TEST(a.at("capacity").to_number<int>() == 64);
    BOOST_TEST(a.at("claimed").to_number<int>() == 5);
    BOOST_TEST(a.at("done_last_minute").is_null());
    BOOST_TEST(list("?limit=10&after=c").at("items").as_array().size() == 1U);
    BOOST_TEST(list("?after=d").at("next").is_null());
    for (const char* query : {"?limit=0", "?limit=1001", "?limit=x", "?x=1", "?after=a&after=b"}) {
        BOOST_TEST(with(reads_only, "GET", std::string("/workers") + query).status == 400, query);
    }
    // Who waits for a pause to end is paused; who is not heard is not.
    BOOST_REQUIRE(with(operates, "POST", "/pause", R"({"stage":"PROCESSING"})").status == 200);
    BOOST_TEST(states() == "a paused, b silent, c gone, d draining, ");
}

BOOST_AUTO_TEST_SUITE_END()
