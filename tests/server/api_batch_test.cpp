// POST /orders/batch.

#include "api_fixture.hpp"

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture : api_fixture {
    answer batch_of(std::string_view type, std::string_view body, std::string_view key = {}) {
        std::vector<http::field> fields = {{"Content-Type", type}};
        if (!key.empty()) fields.push_back({"Idempotency-Key", key});
        return ask("POST", "/orders/batch", body, fields);
    }
    static std::string order_of(std::string_view id, int user = 1) {
        return R"({"order_id":")" + std::string(id) + R"(","user_id":)" + std::to_string(user) +
               R"(,"item_ids":[1],"total_amount":1})";
    }
    static std::vector<int> statuses(const answer& got) {
        std::vector<int> out;
        for (const std::string_view name : {R"({"items":[{"status":)", R"(},{"status":)"}) {
            for (auto at = got.body.find(name); at != std::string::npos;
                 at = got.body.find(name, at + 1)) {
                out.push_back(std::stoi(got.body.substr(at + name.size(), 3)));
            }
        }
        return out;
    }
    static constexpr std::string_view json = "application/json";
    static constexpr std::string_view ndjson = "application/x-ndjson";
};

using numbers = std::vector<int>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_batch, fixture)

BOOST_AUTO_TEST_CASE(each_order_for_itself) {
    const answer got = batch_of(json, "[" + order_of("A-1") + ", {\"user_id\":0}, 7,\n" +
                                          order_of("A-1") + "," + order_of("A-2") + "]");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(statuses(got) == (numbers{201, 422, 422, 409, 201}),
               boost::test_tools::per_element());
    BOOST_TEST(
        got.body.starts_with(R"({"items":[{"status":201,"order":{"id":1,"order_id":"A-1",)"));
    BOOST_TEST(got.says(R"({"status":422,"problem":{"type":"urn:orderproc:problem:validation")"));
    BOOST_TEST(got.says(R"("code":"order_exists")"));
    BOOST_TEST(get("/orders/A-2").status == 200);
    BOOST_TEST(!got.find("Location"));
    BOOST_TEST(!got.find("ETag"));
}

BOOST_AUTO_TEST_CASE(lines) {
    const answer got = batch_of(ndjson, order_of("A-1") + "\r\n\n" + "{bad\n" + order_of("A-2"));
    BOOST_TEST(statuses(got) == (numbers{201, 400, 201}), boost::test_tools::per_element());
    BOOST_TEST(got.says(R"("code":"invalid_json")"));
    BOOST_TEST(batch_of(ndjson, "").body == R"({"items":[]})");
}

BOOST_AUTO_TEST_CASE(an_order_may_be_as_deep_as_alone) {
    const auto deep = [](const std::string& id, std::size_t levels) {
        std::string out = R"({"order_id":")" + id +
                          R"(","user_id":1,"item_ids":[1],"total_amount":1,"metadata":)";
        for (std::size_t i = 1; i < levels; ++i) out += R"({"a":)";
        out += '1' + std::string(levels, '}');
        return out;
    };
    const std::string three = deep("A-1", 32) + "," + deep("A-2", 33) + "," + order_of("A-3");
    const answer got = batch_of(json, "[" + three + "]");
    BOOST_TEST(statuses(got) == (numbers{201, 400, 201}), boost::test_tools::per_element());
    BOOST_TEST(got.says("nested deeper than 32"));
}

BOOST_AUTO_TEST_CASE(what_is_no_batch) {
    BOOST_TEST(batch_of(json, "[]").body == R"({"items":[]})");
    BOOST_TEST(batch_of(json, "[1,").says(R"("code":"invalid_json")"));
    BOOST_TEST(batch_of(json, "[" + order_of("A-1") + "] x").status == 400);
    BOOST_TEST(get("/orders/A-1").status == 404);
    BOOST_TEST(batch_of(json, "{}").says(R"({"pointer":"#","code":"wrong_type")"));
    BOOST_TEST(batch_of("text/plain", "[]").status == 415);
    BOOST_TEST(ask("POST", "/orders/batch?x=1", "[]").status == 400);
}

BOOST_AUTO_TEST_CASE(a_thousand_and_no_more) {
    const auto many = [](std::size_t count, std::string_view between) {
        std::string out = "0";
        for (std::size_t i = 1; i < count; ++i) out.append(between).append("0");
        return out;
    };
    BOOST_TEST(statuses(batch_of(json, "[" + many(1000, ",") + "]")).size() == 1000U);
    BOOST_TEST(statuses(batch_of(ndjson, many(1000, "\n"))).size() == 1000U);
    BOOST_TEST(batch_of(json, "[" + many(1001, ",") + "]").status == 413);
    BOOST_TEST(batch_of(ndjson, many(1001, "\n")).status == 413);
}

BOOST_AUTO_TEST_CASE(a_key_for_each) {
    const std::string body = order_of("A-1") + "\n{}\n" + order_of("A-2");
    const answer first = batch_of(ndjson, body, "k");
    BOOST_TEST(statuses(first) == (numbers{201, 422, 201}), boost::test_tools::per_element());
    BOOST_TEST(!first.says("replayed"));
    const answer again =
        batch_of(ndjson, order_of("A-1") + "\n" + order_of("A-3") + "\n" + order_of("A-2", 5), "k");
    BOOST_TEST(statuses(again) == (numbers{201, 201, 422}), boost::test_tools::per_element());
    BOOST_TEST(again.says(R"("order_id":"A-1")"));
    BOOST_TEST(again.says(R"("replayed":true},{"status":201,"order":{"id":3,)"));
    BOOST_TEST(again.says(R"("code":"idempotency_mismatch")"));
    // Each key is the batch's own.
    const std::vector<http::field> single = {{"Content-Type", json}, {"Idempotency-Key", "k#0"}};
    BOOST_TEST(ask("POST", "/orders", order_of("A-1"), single).status == 409);
}

// Large batches are read and submitted in steps, between which the thread serves others.
BOOST_AUTO_TEST_CASE(in_steps) {
    const auto steps_of = [&](std::string_view type, std::string_view body) {
        turns = 0;
        const answer got = batch_of(type, body);
        BOOST_TEST(got.status == 200);
        return turns;
    };
    const std::string small = "[" + order_of("S-1") + "," + order_of("S-2") + "]";
    BOOST_TEST(steps_of(json, small) == 1);  // for the outcomes
    std::string all = order_of("A-0");
    for (int i = 1; i < 1000; ++i) all += ",\n" + order_of("A-" + std::to_string(i));
    const std::size_t reading = all.size() / batch::read_step;
    const std::size_t submitting = (1000 + batch::submit_step - 1) / batch::submit_step;
    BOOST_TEST(steps_of(json, "[" + all + "]") == reading + submitting);
    // Also of what is refused, and of nothing.
    std::string bad = "0";
    for (int i = 1; i < 1000; ++i) bad += "\n{\"x\":\"" + std::string(1000, 'x') + "\"}";
    BOOST_TEST(steps_of(ndjson, bad) >= bad.size() / batch::read_step);
    BOOST_TEST(steps_of(ndjson, std::string(8 << 20, '\n')) >= (8U << 20) / batch::read_step);
    BOOST_TEST(batch_of(json, "[" + all + ",").status == 400);
    BOOST_TEST(get("/orders/A-1").status == 200);
}

// Each order has the bounds that it has alone.
BOOST_AUTO_TEST_CASE(an_order_may_be_as_large_as_alone) {
    const std::string large = R"({"x":")" + std::string(256 * 1024, 'x') + "\"}";
    const answer got = batch_of(json, "[" + large + "," + order_of("A-1") + "]");
    BOOST_TEST(statuses(got) == (numbers{413, 201}), boost::test_tools::per_element());
    BOOST_TEST(got.says(R"("code":"payload_too_large")"));
}

BOOST_AUTO_TEST_CASE(names_that_repeat_spoil_one_order) {
    const answer got = batch_of(json, R"([{"user_id":1,"user_id":2},)" + order_of("A-1") + "]");
    BOOST_TEST(statuses(got) == (numbers{400, 201}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_the_engine_does_not_take) {
    orders.stop();
    const answer got = batch_of(json, "[" + order_of("A-1") + "," + order_of("A-2") + "]");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(statuses(got) == (numbers{503, 503}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
