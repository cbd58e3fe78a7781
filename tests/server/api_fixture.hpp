#ifndef ORDERPROC_TESTS_SERVER_API_FIXTURE_HPP
#define ORDERPROC_TESTS_SERVER_API_FIXTURE_HPP

// The handlers over orders in memory, asked without a socket. Every answer has to be one that
// the documentation describes.

#include "api/api_service.hpp"
#include "client.hpp"
#include "documented.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

struct error_log final : observer {
    void error(std::string_view, const failure& what) noexcept override {
        texts.push_back(what.message());
    }
    std::vector<std::string> texts;
};

// Storage that can be told to fail, or to throw.
class moody_storage final : public storage {
public:
    enum class mood { well, unavailable, corrupt, throws };
    mood now = mood::well;

    storage_info info() const override { return inner_->info(); }
    result<std::unique_ptr<repository>> connect_writer() override {
        if (auto ok = judge(); !ok) return std::move(ok).error();
        return inner_->connect_writer();
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        if (auto ok = judge(); !ok) return std::move(ok).error();
        return inner_->connect_reader();
    }

private:
    result<void> judge() const {
        if (now == mood::unavailable) return failure{errc::unavailable, "secret path"};
        if (now == mood::corrupt) return failure{errc::corrupt, "secret path"};
        if (now == mood::throws) throw std::runtime_error("secret reason");
        return {};
    }

    std::unique_ptr<storage> inner_ = make_memory_storage();
};

struct api_fixture {
    // Of orders of this model, as that document describes them. Both outlive it.
    api_fixture() : api_fixture(order_model::standard(), documentation::standard()) {}
    api_fixture(const order_model& of, const documentation& as) : model(of), document(as) {}

    static engine_options by_hand() {
        engine_options out;
        out.threads = 0;
        return out;
    }

    static read_pool_options read_by_hand() {
        read_pool_options out;
        out.threads = 0;
        return out;
    }

    answer ask(std::string_view method, std::string_view target, std::string_view body = {},
               std::vector<http::field> fields = {{"Content-Type", "application/json"}}) {
        http::request in;
        in.method = method;
        const auto mark = target.find('?');
        in.path = target.substr(0, mark);
        if (mark != target.npos) in.query = target.substr(mark + 1);
        in.fields = fields;
        in.body = body;
        in.id = "request-1";
        http::response out;
        struct : http::exchange {
            void ready() noexcept override { is_ready = true; }
            std::atomic<bool> is_ready = false;
        } by;
        in.peer = peer;
        const auto session = served->open(by);
        auto step = http::step::answered;
        if (!session->admit(in, out)) {
            session->refused(in, out);
        } else {
            step = session->begin(in, out);
        }
        while (step != http::step::answered) {
            if (meanwhile) std::exchange(meanwhile, nullptr)();
            while (!by.is_ready.exchange(false)) {
                (void)orders.run_once();
                reads.run_once();
            }
            ++turns;
            step = session->resume(in, out);
        }
        if (documented) BOOST_TEST(document.missing(in, out) == "");
        answer got;
        got.status = static_cast<int>(out.status);
        got.head = "\r\nContent-Type: " + std::string(out.content_type) + "\r\n" + out.fields;
        got.body = out.body;
        return got;
    }
    answer get(std::string_view target, std::vector<http::field> fields = {}) {
        return ask("GET", target, {}, std::move(fields));
    }
    answer create(std::string_view id, std::int64_t user = 123) {
        return ask("POST", "/orders",
                   R"({"order_id":")" + std::string(id) + R"(","user_id":)" + std::to_string(user) +
                       R"(,"item_ids":[1],"total_amount":1.5})");
    }

    // What a worker gets.
    claimed_order claim_one() {
        claim take;
        take.stage = &orders.machine().stages()[0];
        take.worker_id = "w";
        take.expires_at = time.now() + std::chrono::minutes(1);
        take.limit = 1;
        struct : claim_completion {
            void complete(error_code, claim_outcome& it) noexcept override { got = std::move(it); }
            claim_outcome got;
        } claimed;
        BOOST_REQUIRE(orders.submit(take, claimed).has_value());
        BOOST_REQUIRE(orders.run_once().has_value());
        BOOST_REQUIRE_EQUAL(claimed.got.orders.size(), 1U);
        return claimed.got.orders[0];
    }
    void raise(std::string id, std::string event) {
        const auto done = orders.execute({raise_event{id, event, ""}, {}, {}, {}, "", ""});
        BOOST_REQUIRE(!done.ec);
    }

    const order_model& model;
    const documentation& document;
    orderproc::testing::manual_clock time;
    orderproc::testing::seeded_random random;
    error_log errors;
    moody_storage store;
    engine orders{store, status_machine::standard(), model, runtime{time, random, errors},
                  by_hand()};
    read_pool reads{store, read_by_hand()};
    reader direct{store};  // for what a test looks up itself
    api handlers{orders, reads};
    api_service service{handlers};
    http::service* served = &service;
    http::address_bytes peer{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
    bool documented = true;           // what is served is the API
    std::size_t turns = 0;            // how often sessions went on after they had waited
    std::function<void()> meanwhile;  // called once, before the next command or read is carried out
};

}  // namespace orderproc::server::testing

#endif
