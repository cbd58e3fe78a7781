// Why orders are not done, orders that failed by reason, and what needs a person.

#include "api/checks.hpp"
#include "guarded_fixture.hpp"

#include <orderproc/pause.hpp>
#include <orderproc/worker_record.hpp>
#include <orderproc/write_records.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;
namespace js = boost::json;

namespace {

struct explained : guarded {
    explained() {
        reads_all = add("bob", {scope::read, scope::orders_read});
        all = add("shop", {scope::orders_write, scope::orders_read});
    }
    js::object object(const answer& got) {
        BOOST_REQUIRE_EQUAL(got.status, 200);
        BOOST_TEST(got.find("Cache-Control").value_or("") == "no-store");
        return js::parse(got.body).as_object();
    }
    js::object seen(const std::string& target) { return object(with(reads_all, "GET", target)); }
    void create_one(const std::string& id) {
        BOOST_REQUIRE_EQUAL(create_with(all, id, 42).status, 201);
    }
    void fail(const std::string& id, const std::string& reason) {
        create_one(id);
        const claimed_order claimed = claim_one();
        const std::string attempt = "/orders/" + id + "/attempts/" +
                                    tokens.make({id, claimed.lease, claimed.value.status, 1});
        BOOST_REQUIRE_EQUAL(
            with(all, "POST", attempt, R"({"fail":{"reason":")" + reason + R"("}})").status, 200);
    }
    void write(const result<std::vector<change_record>>& what) {
        BOOST_REQUIRE(what.has_value());
        bool ok = false;
        write_records(orders, *what, [&](const result<void>& it) { ok = it.has_value(); });
        (void)orders.run_once();
        BOOST_REQUIRE(ok);
    }
    void hear(const std::string& name, const std::string& program = "1",
              std::chrono::milliseconds ahead = {}) {
        worker_record said;
        said.name = name;
        said.program = program;
        said.started_at = said.heard_at = time.now() + ahead;
        said.stages = {"PROCESSING"};
        said.capacity = 10;
        write(std::vector{to_record(said, 0)});
    }
    // "code about, …" of what is found.
    std::string found() {
        std::string out;
        const js::object whole = seen("/findings");
        for (const js::value& it : whole.at("findings").as_array()) {
            out +=
                std::string(it.at("code").as_string()) + " " + js::serialize(it.at("about")) + "; ";
        }
        return out;
    }
    std::string state_of_check(const std::string& code) {
        const js::object whole = seen("/findings");
        for (const js::value& it : whole.at("checks").as_array()) {
            if (it.at("code").as_string() == code) return std::string(it.at("state").as_string());
        }
        return "none";
    }

    std::string reads_all, all;
};

std::string text(const js::value& it) {
    return it.is_null() ? "null" : std::string(it.as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(explained_orders, explained)

BOOST_AUTO_TEST_CASE(an_order_that_waits) {
    create_one("A");
    const js::object why = seen("/orders/A/explain");
    BOOST_TEST(text(why.at("order_id")) == "A");
    BOOST_TEST(text(why.at("status")) == "PENDING");
    BOOST_TEST(text(why.at("state")) == "waiting");
    BOOST_TEST(text(why.at("waits_for")) == "worker");
    BOOST_TEST(text(why.at("since")) == to_string(time.now()));
    BOOST_TEST(text(why.at("summary")) == text(why.at("sentences").as_array()[0]));
    BOOST_TEST((why.at("can") == js::array{"cancel"}));
    for (const char* name : {"next_at", "similar", "reason"}) BOOST_TEST(why.at(name).is_null());
}

BOOST_AUTO_TEST_CASE(an_order_that_failed) {
    fail("A", "payment 1: 502");
    fail("B", "payment 2: 502");
    const js::object why = seen("/orders/A/explain");
    BOOST_TEST(text(why.at("state")) == "dead");
    BOOST_TEST(text(why.at("reason")) == "payment #: #");
    BOOST_TEST(why.at("similar").to_number<int>() == 1);
    const js::array& attempts = why.at("attempts").as_array();
    BOOST_REQUIRE_EQUAL(attempts.size(), 1U);
    BOOST_TEST(text(attempts[0].at("worker")) == "w");
    BOOST_TEST(text(attempts[0].at("outcome")) == "failed");
    BOOST_TEST(text(attempts[0].at("reason")) == "payment 1: 502");
}

BOOST_AUTO_TEST_CASE(orders_that_are_not_there) {
    create_one("A");
    BOOST_REQUIRE_EQUAL(with(all, "DELETE", "/orders/A").status, 204);
    const js::object why = seen("/orders/A/explain");
    BOOST_TEST(why.at("status").is_null());
    BOOST_TEST(text(why.at("state")) == "deleted");
    BOOST_TEST(why.at("waits_for").is_null());
    const answer none = with(reads_all, "GET", "/orders/NONE/explain");
    BOOST_TEST(none.status == 404);
    BOOST_TEST(none.says("There is no order NONE: there never was one, or it was purged."));
    BOOST_TEST(with(reads_all, "GET", "/orders/A/explain?x=1").status == 400);
    BOOST_TEST(with(reads_all, "GET", "/orders/%zz/explain").status == 400);
    // By the other name of its path.
    BOOST_TEST(with(reads_all, "GET", "/orders/~QQ/explain").status == 200);
}

BOOST_AUTO_TEST_CASE(dead_letters_by_reason) {
    js::object groups = seen("/dead-letters");
    BOOST_TEST(groups.at("groups").as_array().empty());
    BOOST_TEST(groups.at("complete").as_bool());
    fail("A", "payment 1: 502");
    time.advance(std::chrono::hours(2));
    fail("B", "payment 2: 502");
    fail("C", "no stock");
    groups = seen("/dead-letters?group=reason");
    BOOST_TEST(groups.at("orders").to_number<int>() == 3);
    BOOST_TEST(groups.at("looked_at").to_number<int>() == 3);
    BOOST_REQUIRE_EQUAL(groups.at("groups").as_array().size(), 2U);
    const js::value& first = groups.at("groups").as_array()[0];
    BOOST_TEST(text(first.at("reason")) == "payment #: #");
    BOOST_TEST(first.at("orders").to_number<int>() == 2);
    BOOST_TEST(first.at("last_hour").to_number<int>() == 1);
    BOOST_TEST(text(first.at("example").at("order_id")) == "B");
    BOOST_TEST(text(first.at("example").at("last_error")) == "payment 2: 502");

    js::object page = seen("/dead-letters?limit=1&reason=payment%20%23:%20%23");
    BOOST_REQUIRE_EQUAL(page.at("items").as_array().size(), 1U);
    BOOST_TEST(text(page.at("items").as_array()[0].at("order_id")) == "B");
    page = seen("/dead-letters?limit=1&reason=payment%20%23:%20%23&cursor=" +
                text(page.at("next_cursor")));
    BOOST_REQUIRE_EQUAL(page.at("items").as_array().size(), 1U);
    BOOST_TEST(text(page.at("items").as_array()[0].at("order_id")) == "A");
    BOOST_TEST(seen("/dead-letters?reason=nothing").at("next_cursor").is_null());
    for (const char* query : {"?group=user", "?limit=1", "?cursor=x", "?reason=x&group=reason",
                              "?reason=x&cursor=x", "?reason=x&limit=101", "?x=1"}) {
        BOOST_TEST(with(reads_all, "GET", std::string("/dead-letters") + query).status == 400,
                   query);
    }
}

// `read` shows what went wrong, not whose orders those were.
BOOST_AUTO_TEST_CASE(the_orders_of_a_group_need_another_scope) {
    fail("A", "no stock");
    const std::string watches = add("monitor", {scope::read, scope::metrics});
    BOOST_TEST(with(watches, "GET", "/dead-letters").status == 200);
    const answer got = with(watches, "GET", "/dead-letters?reason=no%20stock");
    BOOST_TEST(got.status == 403);
    BOOST_TEST(got.says("orders:read"));
    BOOST_TEST(!got.says("user_id"));
}

// However many look on, and however often, the storage is read once.
BOOST_AUTO_TEST_CASE(what_many_look_at_is_read_once) {
    api_parts parts;
    parts.auth = &judge;
    api sharing(orders, reads, std::move(parts));
    api_service sharing_service(sharing);
    const auto count = [&](const char* path) {
        served = &sharing_service;
        const js::object whole = seen(path);
        served = &guarded_service;
        return path[1] == 'd' ? whole.at("orders").to_number<int>()
                              : whole.at("similar").to_number<int>();
    };
    fail("A", "no stock");
    BOOST_TEST(count("/dead-letters") == 1);
    fail("B", "no stock");
    time.advance(std::chrono::milliseconds(4999));
    BOOST_TEST(count("/dead-letters") == 1);
    BOOST_TEST(count("/orders/B/explain") == 0);
    time.advance(std::chrono::milliseconds(1));
    BOOST_TEST(count("/dead-letters") == 2);
    BOOST_TEST(count("/orders/B/explain") == 1);
}

BOOST_AUTO_TEST_CASE(all_is_well) {
    BOOST_TEST(found() == "");
    for (const check& it : all_checks()) {
        BOOST_TEST(state_of_check(std::string(it.code)) == "ok", it.code);
    }
}

BOOST_AUTO_TEST_CASE(what_the_process_knows) {
    healthy = false;
    BOOST_TEST(found() == R"(storage_unreadable {"kind":"storage"}; )");
    BOOST_TEST(state_of_check("storage_unreadable") == "problem");
}

// What the process knows is told also while nothing can be read.
BOOST_AUTO_TEST_CASE(the_storage_is_away) {
    healthy = false;
    store.now = moody_storage::mood::unavailable;
    BOOST_TEST(found() == R"(storage_unreadable {"kind":"storage"}; )");
    BOOST_TEST(state_of_check("storage_unreadable") == "problem");
    BOOST_TEST(state_of_check("dead_letters") == "unknown");
}

// A read of a storage that hangs would never come back.
BOOST_AUTO_TEST_CASE(nobody_waits_for_a_storage_that_does_not_answer) {
    healthy = false;
    const std::size_t before = turns;
    BOOST_TEST(state_of_check("storage_unreadable") == "problem");
    BOOST_TEST(state_of_check("dead_letters") == "unknown");
    BOOST_TEST(turns == before);  // answered at once
}

// All workers were killed, and nothing waits beside what they had.
BOOST_AUTO_TEST_CASE(leases_that_ended_and_nobody_who_works) {
    create_one("A");
    (void)claim_one();  // for a minute
    BOOST_TEST(found() == "");
    time.advance(std::chrono::seconds(61));
    BOOST_TEST(found() == R"(no_workers {"kind":"workers","stage":"PROCESSING"}; )");
    const js::object whole = seen("/findings");
    BOOST_TEST(text(whole.at("findings").as_array()[0].at("text"))
                   .starts_with("The leases of orders in PROCESSING have ended, and no worker"));
    time.advance(std::chrono::seconds(60));
    hear("one");
    BOOST_TEST(found() == R"(queue_stuck {"kind":"queue","stage":"PROCESSING"}; )");
}

BOOST_AUTO_TEST_CASE(a_worker_whose_clock_is_ahead) {
    create_one("A");
    hear("near", "1", std::chrono::seconds(2));
    BOOST_TEST(found() == "");
    hear("far", "1", std::chrono::seconds(3));
    BOOST_TEST(found() == R"(clocks_differ {"kind":"worker","name":"far"}; )");
    time.advance(std::chrono::seconds(60));
    hear("hours", "1", std::chrono::hours(2));
    // It is not believed that it works.
    BOOST_TEST(found().starts_with(R"(no_workers {"kind":"workers","stage":"PROCESSING"}; )"));
    BOOST_TEST(found().find(R"(clocks_differ {"kind":"worker","name":"hours"}; )") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(due_orders_and_nobody_who_works) {
    create_one("A");
    BOOST_TEST(found() == R"(no_workers {"kind":"workers","stage":"PROCESSING"}; )");
    hear("one");
    BOOST_TEST(found() == "");
    time.advance(std::chrono::seconds(29));
    BOOST_TEST(found() == "");
    time.advance(std::chrono::seconds(2));  // it is silent now
    BOOST_TEST(found() == R"(no_workers {"kind":"workers","stage":"PROCESSING"}; )"
                          R"(worker_silent {"kind":"worker","name":"one"}; )");
    hear("two");
    BOOST_TEST(found() == R"(worker_silent {"kind":"worker","name":"one"}; )");
    time.advance(std::chrono::seconds(29));
    hear("three");
    time.advance(std::chrono::seconds(1));
    BOOST_TEST(found().find(R"(queue_stuck {"kind":"queue","stage":"PROCESSING"}; )") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(paused_work_explains_what_waits) {
    create_one("A");
    const auto paused = direct.use([&](repository_reader& from) {
        return pause_work(from, {{}, time.now(), "key:anna", "no gateway"}, orders.machine());
    });
    write(paused);
    BOOST_TEST(found() == R"(paused {"kind":"pause","stage":null}; )");
    const js::object whole = seen("/findings");
    const js::value& first = whole.at("findings").as_array()[0];
    BOOST_TEST(text(first.at("text")) ==
               "All work is paused by key:anna: no gateway. Nobody takes orders until somebody "
               "resumes it.");
    BOOST_TEST(text(first.at("severity")) == "warning");
    BOOST_TEST(text(first.at("since")) == to_string(time.now()));
    BOOST_TEST(text(seen("/orders/A/explain").at("waits_for")) == "pause");
}

BOOST_AUTO_TEST_CASE(versions_and_dead_letters) {
    hear("one", "1");
    hear("two", "2");
    fail("A", "payment 1");
    create_one("B");
    (void)claim_one();
    raise("B", "fail");
    const std::string all_found = found();
    BOOST_TEST(all_found.find(R"(dead_letters {"kind":"dead_letters","reason":"payment #"}; )") !=
               std::string::npos);
    BOOST_TEST(all_found.find(R"(dead_letters {"kind":"dead_letters","reason":""}; )") !=
               std::string::npos);
    BOOST_TEST(all_found.find(R"(versions_differ {"kind":"workers"}; )") != std::string::npos);
    BOOST_TEST(state_of_check("dead_letters") == "problem");
    BOOST_TEST(state_of_check("versions_differ") == "warning");
}

// Where nothing is purged, nothing is held back, however long it has been dead.
BOOST_AUTO_TEST_CASE(a_dead_letter_holds_back_what_is_purged) {
    fail("A", "payment 1");
    time.advance(std::chrono::hours(24 * 10));
    BOOST_TEST(state_of_check("purge_held") == "ok");
    const auto state_with = [this](std::chrono::hours retained) {
        api_parts parts;
        parts.auth = &judge;
        parts.facts_shared_for = {};
        parts.retained = retained;
        api handlers(orders, reads, std::move(parts));
        api_service service(handlers);
        served = &service;
        std::string out = state_of_check("purge_held");
        served = &guarded_service;
        return out;
    };
    BOOST_TEST(state_with(std::chrono::hours(24 * 11)) == "ok");
    BOOST_TEST(state_with(std::chrono::hours(24 * 9)) == "warning");
}

BOOST_AUTO_TEST_SUITE_END()
