// PostgreSQL's server in trouble; and the cases about that notice each way of not minding it.

#include "postgres_server_harness.hpp"
#include "run_cases.hpp"

#include <orderproc/testing/server_cases.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>

namespace {

using namespace orderproc;
using mutation = server_mutation;

postgres_node& node() {
    static postgres_node it;
    return it;
}

const bool added = add_cases(
    testing::server_cases(), [] { return std::make_unique<postgres_server_harness>(node()); },
    skipped_case::error);

// A repository that answers for another one.
class forwarding : public repository {
public:
    explicit forwarding(std::unique_ptr<repository> inner) : inner_(std::move(inner)) {}

    result<loaded_orders> load(const load_params& it) override { return inner_->load(it); }
    result<order_page> list(const list_params& it) override { return inner_->list(it); }
    result<std::vector<journal_entry>> history(const history_params& it) override {
        return inner_->history(it);
    }
    result<feed_page> read_feed(const feed_params& it) override { return inner_->read_feed(it); }
    result<statistics> count() override { return inner_->count(); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return inner_->find_cursor(name);
    }
    result<std::vector<named_cursor>> list_cursors() override { return inner_->list_cursors(); }
    result<void> write(const write_params& params, write_results& results) override {
        return inner_->write(params, results);
    }
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override {
        return inner_->was_applied(writer, sequence);
    }

protected:
    std::unique_ptr<repository> inner_;
};

// Calls every failure a certain one.
class never_unsure final : public forwarding {
public:
    using forwarding::forwarding;
    result<void> write(const write_params& params, write_results& results) override {
        auto out = forwarding::write(params, results);
        if (!out && out.error().code == errc::outcome_unknown) return errc::unavailable;
        return out;
    }
};

// Says that whatever was lost was applied, or not.
template <bool Applied>
class always_sure final : public forwarding {
public:
    using forwarding::forwarding;
    result<bool> was_applied(std::string_view, std::uint64_t) override { return Applied; }
};

// Ends when it has heard something.
class deaf_watch final : public commit_watch {
public:
    explicit deaf_watch(std::unique_ptr<commit_watch> inner) : inner_(std::move(inner)) {}
    result<bool> wait(std::chrono::milliseconds at_most) override {
        return std::exchange(deaf_, true) ? result<bool>(false) : inner_->wait(at_most);
    }
    void interrupt() noexcept override { inner_->interrupt(); }

private:
    std::unique_ptr<commit_watch> inner_;
    bool deaf_ = false;
};

enum class ears { good, deaf };

template <class Writer, ears Hears = ears::good>
class wrapped_storage final : public storage {
public:
    explicit wrapped_storage(std::unique_ptr<storage> inner) : inner_(std::move(inner)) {}
    storage_info info() const override { return inner_->info(); }
    result<std::unique_ptr<repository>> connect_writer() override {
        auto inner = inner_->connect_writer();
        if (!inner) return inner;
        return std::make_unique<Writer>(std::move(*inner));
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return inner_->connect_reader();
    }
    result<std::unique_ptr<commit_watch>> watch() override {
        auto inner = inner_->watch();
        if (!inner || Hears == ears::good) return inner;
        return std::make_unique<deaf_watch>(std::move(*inner));
    }

private:
    std::unique_ptr<storage> inner_;
};

template <class Writer, ears Hears = ears::good>
mutation wrapped() {
    mutation out;
    out.wrap = [](std::unique_ptr<storage> it) {
        return std::make_unique<wrapped_storage<Writer, Hears>>(std::move(it));
    };
    return out;
}

mutation edited(message_edit how) {
    mutation out;
    out.edit = std::move(how);
    return out;
}

mutation without_lock() {
    return edited(replacing("FROM write_lock WHERE id=1 FOR UPDATE", "FROM write_lock WHERE id=1"));
}

// Whoever hangs has all the time in the world.
mutation endless_hold() {
    mutation out = edited([](bool of_client, char type, std::string& body) {
        // Its length stands in front of it.
        replacing("idle_in_transaction_session_timeout", "mutant.idle_in_transaction_timeouts")(
            of_client, type, body);
        replacing("pg_terminate_backend(a.pid)", "a.pid IS NULL")(of_client, type, body);
    });
    out.silence = std::chrono::seconds(5);
    return out;
}

// The server of before is taken for the present one.
mutation blind_to_timelines() {
    mutation out = edited(
        replacing("substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)", "'00000001'"));
    out.silence = std::chrono::seconds(5);
    out.answer_timeout = std::chrono::seconds(2);
    return out;
}

struct server_mutant {
    const char* name;
    const char* noticed_by;
    mutation (*make)();
};
std::ostream& operator<<(std::ostream& out, const server_mutant& it) {
    return out << it.name;
}

const server_mutant mutants[] = {
    {"unknown is called unavailable", "an_answer_that_is_lost", wrapped<never_unsure>},
    {"was_applied says no", "an_answer_that_is_lost", wrapped<always_sure<false>>},
    {"was_applied says yes", "an_answer_that_is_lost", wrapped<always_sure<true>>},
    {"was_applied without the lock", "a_paused_commit_is_waited_for", without_lock},
    {"no end to a hang", "a_writer_that_hangs", endless_hold},
    {"a warning is ignored", "a_cancelled_commit_is_unknown",
     [] { return edited(replacing("WARNING", "WARNINX")); }},
    {"the server's timeline is not looked at", "a_standby_is_promoted", blind_to_timelines},
    {"the watch ends with its connection", "the_server_restarts", wrapped<forwarding, ears::deaf>},
    {"the due queue is read from its beginning", "an_old_snapshot_costs_nothing",
     [] {
         return edited(replacing("latest.due_from[array_position(latest.statuses, $1::text)]",
                                 "-9223372036854775807"));
     }},
};

const testing::server_case& find_case(std::string_view name) {
    for (const auto& it : testing::server_cases()) {
        if (it.name == name) return it;
    }
    throw std::invalid_argument("no case " + std::string(name));
}

}  // namespace

BOOST_DATA_TEST_CASE(a_server_mutant_is_noticed, boost::unit_test::data::make(mutants), it) {
    postgres_server_harness harness(node(), it.make());
    std::optional<std::string> noticed;
    try {
        find_case(it.noticed_by).run(harness);
    } catch (const testing::case_failed& failed) {
        noticed = failed.what();
    }
    BOOST_TEST(noticed.has_value(), it.noticed_by << " does not notice: " << it.name);
    if (noticed) BOOST_TEST_MESSAGE(it.name << ": " << *noticed);
}

BOOST_AUTO_TEST_CASE(each_server_case_has_a_mutant_and_a_sentence) {
    std::set<std::string> noticed_by;
    for (const server_mutant& it : mutants) noticed_by.insert(it.noticed_by);
    for (const auto& it : testing::server_cases()) {
        BOOST_TEST(noticed_by.contains(it.name), "nothing shows that it can fail: " << it.name);
        BOOST_TEST(it.promise.ends_with('.'));
    }
}

// A harness that can do nothing: an embedded database's, say.
BOOST_AUTO_TEST_CASE(what_a_harness_cannot_do_is_skipped) {
    class only_opens final : public testing::server_harness {
    public:
        std::unique_ptr<storage> open() override { return real_.open(); }

    private:
        postgres_server_harness real_{node()};
    };
    for (const auto& it : testing::server_cases()) {
        only_opens harness;
        BOOST_CHECK_THROW(it.run(harness), testing::case_skipped);
    }
}
