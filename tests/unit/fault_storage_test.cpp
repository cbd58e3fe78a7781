#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/testing/storage_cases.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using testing::fault;
using testing::fault_call;
using testing::fault_options;
using testing::fault_storage;

namespace {

struct bench {
    explicit bench(fault_options options = {}) : faulty(*inner, std::move(options)) {
        truth = inner->connect_reader().value();
    }

    std::unique_ptr<repository> connect() { return faulty.connect_writer().value(); }
    std::unique_ptr<repository_reader> connect_reader() { return faulty.connect_reader().value(); }
    // Creates an order in one write.
    result<void> create(repository& by, const std::string& id) {
        runtime with{time, chance, nobody};
        const change one =
            lower(testing::order_builder{}.id(id).submit(), status_machine::standard(), with)
                .value();
        change_outcome outcome;
        write_params params;
        params.now = time.now();
        params.writer = "w";
        params.sequence = ++sequence;
        params.changes = {&one, 1};
        write_results results;
        results.changes = {&outcome, 1};
        return by.write(params, results);
    }
    bool exists(const std::string& id) {
        return truth->load({{&id, 1}, {}}).value().orders.front().has_value();
    }

    std::unique_ptr<storage> inner = make_memory_storage();
    fault_storage faulty;
    std::unique_ptr<repository_reader> truth;
    testing::manual_clock time;
    testing::seeded_random chance;
    observer nobody;
    std::uint64_t sequence = 0;
};

class calm_harness final : public testing::storage_harness {
public:
    std::unique_ptr<storage> open() override { return std::make_unique<fault_storage>(*inner_); }

private:
    std::unique_ptr<storage> inner_ = make_memory_storage();
};

// The fates of so many writes: o done, u unavailable, l lost, n unknown and not written, y
// unknown and written.
std::string fates(std::uint64_t seed, int writes, bool read_between = false) {
    fault_options options;
    options.seed = seed;
    options.write = {0.1, 0.1, 0.1, 0.1};
    bench b(std::move(options));
    std::string out;
    for (int i = 0; i < writes; ++i) {
        const auto by = b.connect();
        if (read_between) (void)by->count();
        const std::string id = "O-" + std::to_string(i);
        const auto done = b.create(*by, id);
        const bool usable = by->count().has_value();
        if (done) {
            out += 'o';
        } else if (done.error().code == errc::unavailable) {
            out += usable ? 'u' : 'l';
            BOOST_TEST(!b.exists(id));
        } else {
            BOOST_TEST((done.error().code == errc::outcome_unknown));
            BOOST_TEST(!usable);
            out += b.exists(id) ? 'y' : 'n';
            BOOST_TEST(b.connect()->was_applied("w", b.sequence).value() == b.exists(id));
        }
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_faults_it_keeps_every_promise) {
    for (const auto& it : testing::storage_cases()) {
        calm_harness harness;
        try {
            it.run(harness);
        } catch (const testing::case_skipped&) {  // memory does not last, nor do writes fail
            continue;
        } catch (const testing::case_failed& why) {
            BOOST_ERROR(why.what());
        }
    }
}

BOOST_FIXTURE_TEST_CASE(what_is_told_happens_once_in_order, bench) {
    faulty.next(fault_call::write, fault::unavailable);
    faulty.next(fault_call::write, fault::none);
    faulty.next(fault_call::write, fault::connection_lost);
    auto by = connect();
    BOOST_TEST((create(*by, "A").error().code == errc::unavailable));
    BOOST_TEST(create(*by, "B").has_value());
    const auto lost = create(*by, "C");
    BOOST_TEST((lost.error().code == errc::unavailable));
    BOOST_TEST(lost.error().detail == "as told (fault_storage)");
    BOOST_TEST((create(*by, "D").error().code == errc::unavailable));  // for good
    BOOST_TEST((by->list({}).error().code == errc::unavailable));
    by = connect();
    BOOST_TEST(create(*by, "D").has_value());
    BOOST_TEST((!exists("A") && exists("B") && !exists("C") && exists("D")));
    BOOST_TEST(faulty.faults() == 2U);
    BOOST_TEST(faulty.calls(fault_call::write) == 5U);
    BOOST_TEST(faulty.calls(fault_call::connect) == 2U);
}

BOOST_FIXTURE_TEST_CASE(an_unknown_outcome_is_found_out_on_a_new_connection, bench) {
    for (const fault it : {fault::unknown_written, fault::unknown_unwritten}) {
        const bool written = it == fault::unknown_written;
        const std::string id = written ? "A" : "B";
        auto by = connect();
        faulty.next(fault_call::write, it);
        BOOST_TEST((create(*by, id).error().code == errc::outcome_unknown));
        BOOST_TEST((by->was_applied("w", sequence).error().code == errc::unavailable));
        by = connect();
        BOOST_TEST(by->was_applied("w", sequence).value() == written);
        BOOST_TEST(exists(id) == written);
    }
}

BOOST_FIXTURE_TEST_CASE(each_kind_of_call_has_its_own_plan, bench) {
    faulty.next(fault_call::connect, fault::unavailable,
                failure{errc::schema_mismatch, "by a test"});
    faulty.next(fault_call::read, fault::unavailable);
    faulty.next(fault_call::was_applied, fault::connection_lost);
    BOOST_TEST((faulty.connect_reader().error().code == errc::schema_mismatch));
    const auto by = connect();
    BOOST_TEST(create(*by, "A").has_value());
    BOOST_TEST(!by->count());
    BOOST_TEST(by->count().has_value());
    BOOST_TEST(!by->was_applied("w", 1));
    BOOST_TEST(!by->count());
}

BOOST_FIXTURE_TEST_CASE(it_throws_if_told, bench) {
    const auto by = connect();
    faulty.next(fault_call::write, fault::throws);
    faulty.next(fault_call::write, fault::throws_written);
    faulty.next(fault_call::connect, fault::throws);
    BOOST_CHECK_THROW((void)create(*by, "A"), std::bad_alloc);
    BOOST_CHECK_THROW((void)create(*by, "B"), std::bad_alloc);
    BOOST_CHECK_THROW((void)faulty.connect_reader(), std::bad_alloc);
    BOOST_TEST((!exists("A") && exists("B")));
}

BOOST_FIXTURE_TEST_CASE(connections_are_lost_together, bench) {
    const auto one = connect();
    const auto two = connect_reader();
    faulty.lose_connections();
    BOOST_TEST((create(*one, "A").error().code == errc::unavailable));
    BOOST_TEST((two->count().error().code == errc::unavailable));
    BOOST_TEST(create(*connect(), "A").has_value());
    BOOST_TEST(faulty.open_max() == 3U);
}

BOOST_AUTO_TEST_CASE(chance_is_the_seeds) {
    const std::string first = fates(1, 300);
    BOOST_TEST(fates(1, 300) == first);
    BOOST_TEST(fates(1, 300, true) == first);  // whatever is read between
    BOOST_TEST(fates(2, 300) != first);
    for (const char fate : std::string("ulny")) {
        const auto times = std::count(first.begin(), first.end(), fate);
        BOOST_TEST((times > 10 && times < 60), fate << " happened " << times << " times of 300");
    }
    BOOST_TEST(std::count(first.begin(), first.end(), 'o') > 120);
}

BOOST_AUTO_TEST_CASE(odds_of_one_leave_no_choice) {
    fault_options options;
    options.connect.unavailable = 1;
    options.seed = 77;
    bench b(std::move(options));
    for (int i = 0; i < 20; ++i) {
        const auto refused = b.faulty.connect_reader();
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().detail == "by chance, seed 77 (fault_storage)");
    }
    b.faulty.next(fault_call::connect, fault::none);
    BOOST_TEST(b.faulty.connect_reader().has_value());
    b.faulty.calm();
    BOOST_TEST(b.faulty.connect_reader().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_hook_sees_each_call_first, bench) {
    std::vector<std::string> seen;
    faulty.on_call([&](const testing::fault_site& at) {
        if (at.call == fault_call::connect) time.advance(std::chrono::seconds(1));
        seen.push_back(at.write ? at.write->changes[0].order : "");
    });
    const timestamp before = time.now();
    const auto by = connect();
    BOOST_TEST(create(*by, "A").has_value());
    BOOST_TEST(by->count().has_value());
    BOOST_TEST(seen == (std::vector<std::string>{"", "A", ""}));
    BOOST_TEST((time.now() == before + std::chrono::seconds(1)));
}

BOOST_AUTO_TEST_CASE(it_may_be_used_by_many_threads) {
    fault_options options;
    options.write = {0.1, 0.1, 0.1, 0.1};
    options.read.unavailable = 0.2;
    options.delay_max = std::chrono::microseconds(50);
    bench b(std::move(options));
    const auto use = [&b] {
        for (int i = 0; i < 100; ++i) {
            const auto by = b.connect_reader();
            (void)by->count();
            if (i % 10 == 0) b.faulty.lose_connections();
        }
    };
    {
        const std::jthread one(use), two(use);
        for (int i = 0; i < 100; ++i) (void)b.create(*b.connect(), "O-" + std::to_string(i));
    }
    BOOST_TEST(b.faulty.calls(fault_call::connect) == 300U);
    BOOST_TEST(b.faulty.faults() > 0U);
}

BOOST_FIXTURE_TEST_CASE(it_says_whose_faults_they_are, bench) {
    BOOST_TEST(faulty.info().name == "fault:memory");
    BOOST_TEST(!faulty.info().durable);
    BOOST_TEST((faulty.watch().error().code == errc::not_supported));
}
