// Several processes with one storage: sorted tables in a file keep every promise, and the cases
// notice each way of not keeping the processes apart.

#include "careless_writers.hpp"
#include "mutants.hpp"
#include "run_cases.hpp"

#include <orderproc/sqlite.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace mutants {
namespace {

class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    ~temporary_folder() { std::filesystem::remove_all(path_); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    std::string file() const { return (path_ / "orders.db").string(); }

private:
    std::filesystem::path path_;
};

class file_harness final : public testing::storage_harness {
public:
    explicit file_harness(careless how = careless::not_at_all, bool processes = true)
        : how_(how), processes_(processes) {}
    std::unique_ptr<storage> open() override {
        return std::make_unique<file_storage>(folder_.file(), how_);
    }
    bool shared_by_processes() const override { return processes_; }
    // The last thing that a write stores cannot be stored.
    bool fail_writes(bool fail) override {
        const std::string of = std::to_string(static_cast<int>(kv_table::writers));
        const std::string broken = "CREATE TRIGGER broken BEFORE INSERT ON rows WHEN new.t=" + of +
                                   " BEGIN SELECT RAISE(ABORT, 'broken by the test'); END";
        file_tables(folder_.file()).run(fail ? broken.c_str() : "DROP TRIGGER broken");
        return true;
    }

private:
    temporary_folder folder_;
    const careless how_;
    const bool processes_;
};

const bool added =
    add_storage_cases([] { return std::make_unique<file_harness>(); }, skipped_case::error);

const char* const shared_cases[] = {"two_writers_take_turns", "nothing_appears_late",
                                    "a_claim_is_nobody_elses"};

// Why the case failed; none if it noticed nothing.
std::optional<std::string> failure_of(const char* name, testing::storage_harness& harness) {
    try {
        find_case(name).run(harness);
    } catch (const testing::case_failed& failed) {
        return failed.what();
    }
    return std::nullopt;
}

struct careless_row {
    const char* noticed_by;
    careless how;
    const char* says;  // a part of the message
};
std::ostream& operator<<(std::ostream& out, const careless_row& it) {
    return out << it.noticed_by << " of " << static_cast<int>(it.how);
}

const careless_row careless_rows[] = {
    {"two_writers_take_turns", careless::no_lock, ""},
    {"two_writers_take_turns", careless::late_lock, ""},
    {"two_writers_take_turns", careless::early_positions, ""},
    {"two_writers_take_turns", careless::own_clock, "its time is before that of the entry before"},
    {"nothing_appears_late", careless::no_lock, ""},
    {"nothing_appears_late", careless::late_lock, ""},
    {"nothing_appears_late", careless::early_positions, "is never read"},
    {"nothing_appears_late", careless::own_clock, "as a page has shown it before"},
    {"a_claim_is_nobody_elses", careless::no_lock, "was claimed twice with token"},
    {"a_claim_is_nobody_elses", careless::late_lock, "was claimed twice with token"},
};

// A storage in SQLite behind the hooks of mutant_storage.hpp.
class hooked_harness final : public testing::storage_harness {
public:
    explicit hooked_harness(hooks with, std::chrono::milliseconds silence = std::chrono::minutes(1))
        : with_(std::move(with)), silence_(silence) {}
    std::unique_ptr<storage> open() override {
        sqlite_options options;
        options.path = folder_.file();
        options.lock_timeout = std::chrono::seconds(60);  // of processes under a sanitizer
        return std::make_unique<view>(open_sqlite(std::move(options)).value(), with_);
    }
    std::chrono::milliseconds silence_max() const override { return silence_; }

private:
    class view final : public storage {
    public:
        view(std::unique_ptr<storage> inner, const hooks& with)
            : inner_(std::move(inner)), with_(with) {}
        storage_info info() const override { return {"mutant", 1, true}; }
        result<std::unique_ptr<repository>> connect_writer() override {
            auto inner = inner_->connect_writer();
            if (!inner) return inner;
            return std::make_unique<mutant_repository>(std::move(*inner), with_, failing_, 0);
        }
        result<std::unique_ptr<repository_reader>> connect_reader() override {
            auto inner = inner_->connect_reader();
            if (!inner) return inner;
            return std::make_unique<mutant_repository>(
                std::make_unique<reader_as_repository>(std::move(*inner)), with_, failing_, 0);
        }

    private:
        std::unique_ptr<storage> inner_;
        const hooks& with_;
        const bool failing_ = false;
    };

    temporary_folder folder_;
    const hooks with_;
    const std::chrono::milliseconds silence_;
};

// Hands out what was waiting when it looked, whether or not others have claimed it since.
result<void> claims_what_it_saw(repository& inner, const write_params& all, write_results& out) {
    const order_status waiting[] = {"PENDING"};
    std::vector<order> seen;
    if (!all.claims.empty()) {
        list_params params;
        params.statuses = waiting;
        params.descending = false;
        params.limit = all.claims[0].limit;
        seen = inner.list(params).value().orders;
    }
    if (auto ok = inner.write(all, out); !ok) return ok;
    for (const order& it : seen) {
        const auto same = [&](const claimed_order& other) { return other.value.id == it.id; };
        auto& claimed = out.claims[0].orders;
        if (std::any_of(claimed.begin(), claimed.end(), same)) continue;
        claimed.push_back({it, lease_token{1}, {}, false});
        claimed.back().value.version = order_version{2};
    }
    return {};
}

}  // namespace

BOOST_DATA_TEST_CASE(careless_writers_are_noticed, boost::unit_test::data::make(careless_rows),
                     it) {
    file_harness harness(it.how);
    const auto noticed = failure_of(it.noticed_by, harness);
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST_MESSAGE(*noticed);
    BOOST_TEST(noticed->find(it.says) != std::string::npos, *noticed);
}

BOOST_DATA_TEST_CASE(threads_of_one_process_take_turns, boost::unit_test::data::make(shared_cases),
                     name) {
    file_harness harness(careless::not_at_all, false);
    const auto noticed = failure_of(name, harness);
    BOOST_TEST(!noticed.has_value(), noticed.value_or(""));
}

BOOST_DATA_TEST_CASE(careless_threads_are_noticed, boost::unit_test::data::make(shared_cases),
                     name) {
    file_harness harness(careless::no_lock, false);
    BOOST_TEST(failure_of(name, harness).has_value());
}

BOOST_AUTO_TEST_CASE(a_claim_that_compares_nothing_is_noticed) {
    hooks with;
    with.write = claims_what_it_saw;
    hooked_harness harness(std::move(with));
    const auto noticed = failure_of("a_claim_is_nobody_elses", harness);
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST_MESSAGE(*noticed);
}

BOOST_AUTO_TEST_CASE(a_fence_that_is_open_is_noticed) {
    hooks with;
    with.change_in = [](change& it, repository&) { it.lease.reset(), it.from = {}; };
    hooked_harness harness(std::move(with));
    const auto noticed = failure_of("a_claim_is_nobody_elses", harness);
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST(noticed->find("which was given back before") != std::string::npos, *noticed);
}

BOOST_DATA_TEST_CASE(a_process_that_crashes_is_a_failure,
                     boost::unit_test::data::make(shared_cases), name) {
    hooks with;
    with.change_in = [](change&, repository&) { std::abort(); };
    hooked_harness harness(std::move(with));
    const auto noticed = failure_of(name, harness);
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST(noticed->find("process 1 was ended by signal 6") != std::string::npos, *noticed);
}

BOOST_DATA_TEST_CASE(a_process_that_hangs_is_a_failure, boost::unit_test::data::make(shared_cases),
                     name) {
    hooks with;
    with.change_in = [](change&, repository&) { ::pause(); };
    hooked_harness harness(std::move(with), std::chrono::milliseconds(500));
    const auto noticed = failure_of(name, harness);
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST(noticed->find("no process has said anything for 500 ms") != std::string::npos,
               *noticed);
}

BOOST_AUTO_TEST_CASE(one_process_alone_is_skipped) {
    for (const char* name : shared_cases) {
        mutant_harness harness;  // not durable
        BOOST_CHECK_THROW(find_case(name).run(harness), testing::case_skipped);
    }
}

}  // namespace mutants
