// Reads that the storage or the pool refuses.

#include "api_fixture.hpp"

#include <orderproc/testing/fault_storage.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string_view>
#include <utility>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

// A storage that leaves out what storages may leave out.
class plain_storage final : public storage {
public:
    storage_info info() const override {
        storage_info out = inner_->info();
        out.capabilities = {};
        return out;
    }
    result<std::unique_ptr<repository>> connect_writer() override {
        return inner_->connect_writer();
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return inner_->connect_reader();
    }

private:
    const std::unique_ptr<storage> inner_ = make_memory_storage();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(failed_reads, api_fixture)

BOOST_AUTO_TEST_CASE(more_reads_than_may_wait_are_told_to_come_again) {
    read_pool_options options = read_by_hand();
    options.queue_max = 1;
    read_pool pool(store, options);
    api over_it(orders, pool);
    api_service answers(over_it);
    struct : http::exchange {
        void ready() noexcept override {}
    } by;
    for (const std::string_view path : {"/orders", "/orders/A-1"}) {
        http::request in;
        in.method = "GET";
        in.path = path;
        http::response first, second;
        const auto waits = answers.open(by);
        const auto refused = answers.open(by);
        BOOST_REQUIRE(waits->admit(in, first));
        BOOST_REQUIRE(refused->admit(in, second));
        BOOST_TEST((waits->begin(in, first) != http::step::answered), path);
        BOOST_TEST((refused->begin(in, second) == http::step::answered), path);
        BOOST_TEST(second.status == 503, path);
        BOOST_TEST(second.body.find(R"("code":"overloaded")") != std::string::npos, path);
        BOOST_TEST(second.fields.find("Retry-After: ") != std::string::npos, path);
        pool.run_once();
        BOOST_TEST((waits->resume(in, first) == http::step::answered), path);
    }
}

BOOST_AUTO_TEST_CASE(a_storage_that_cannot_redact_says_so) {
    plain_storage plain;
    engine over_it(plain, status_machine::standard(), runtime{time, random, errors}, by_hand());
    api over_engine(over_it, reads);
    api_service answers(over_engine);
    served = &answers;
    const answer got = ask("POST", "/orders/A-1/redact");
    BOOST_TEST(got.status == 501);
    BOOST_TEST(got.says(R"("code":"not_supported")"));
    BOOST_TEST(errors.texts.empty());  // nothing is wrong with it
    served = nullptr;
}

// What may pass is 503, and says when to come again; what needs people is 500.
BOOST_AUTO_TEST_CASE(failed_reads_have_a_status_for_each_code) {
    orderproc::testing::fault_storage faulty(store);
    read_pool pool(faulty, read_by_hand());
    api over_it(orders, pool);
    api_service answers(over_it);
    struct : http::exchange {
        void ready() noexcept override {}
    } by;
    const auto session = answers.open(by);
    const std::pair<errc, unsigned> rows[] = {
        {errc::unavailable, 503}, {errc::overloaded, 503},      {errc::stopped, 503},
        {errc::corrupt, 500},     {errc::schema_mismatch, 500}, {errc::not_supported, 501}};
    for (const auto& [code, status] : rows) {
        for (const std::string_view target :
             {"/orders", "/orders?updated_from=2026-06-15T00:00:00Z", "/orders/A-1",
              "/orders/A-1/history", "/journal", "/metrics"}) {
            using orderproc::testing::fault;
            faulty.next(orderproc::testing::fault_call::read, fault::unavailable, failure{code});
            http::request in;
            in.method = "GET";
            const auto mark = target.find('?');
            in.path = target.substr(0, mark);
            if (mark != target.npos) in.query = target.substr(mark + 1);
            http::response out;
            BOOST_REQUIRE(session->admit(in, out));
            BOOST_REQUIRE((session->begin(in, out) != http::step::answered));
            pool.run_once();
            BOOST_REQUIRE((session->resume(in, out) == http::step::answered));
            BOOST_TEST(out.status == status, target);
            const bool come_again = out.fields.find("Retry-After: ") != std::string::npos;
            BOOST_TEST(come_again == (status == 503), target);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
