// Answers that are lost, commits that are cancelled, writers that hang.

#include "testing/server_kit.hpp"

#include <atomic>
#include <thread>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

const char* name_of(connection_fault what) {
    switch (what) {
        case connection_fault::cut_before_commit:
            return "cut before the commit";
        case connection_fault::cut_in_commit:
            return "cut in the commit";
        case connection_fault::cut_after_commit:
            return "cut after the commit";
        case connection_fault::server_paused:
            return "server paused before the commit";
        case connection_fault::client_hangs:
            return "client hangs before it stores";
        case connection_fault::client_hangs_midway:
            break;
    }
    return "client hangs while it stores";
}

std::string id_for(connection_fault what) {
    return "f" + std::to_string(static_cast<int>(what));
}

// A write, and what is known of it.
struct faulty_write {
    std::string writer;
    std::uint64_t sequence = 0;
    std::vector<std::string> ids;
    idempotency once;
    result<void> answered;
};

// A write of a storage of its own that will meet a fault.
class write_ahead {
public:
    write_ahead(server_under_test& of, connection_fault what)
        : opening_(of.harness, what), through_(opening_), what_(what) {
        of.storage_name = through_.orders().info().name;
    }

    faulty_write make() {
        faulty_write out;
        out.writer = "kit-" + id_for(what_);
        out.ids = {id_for(what_), id_for(what_) + "-key"};
        out.once = key(static_cast<std::uint8_t>(1 + static_cast<int>(what_)), 1);
        through_.sign_as(out.writer);
        batch all;
        all.changes = {through_.create(out.ids[0]),
                       with_key(through_.create(out.ids[1]), out.once)};
        batch_outcome results;
        out.answered = through_.try_write(all, results);
        out.sequence = through_.sequence();
        expect(!out.answered, "a write whose answer was lost is answered as a success");
        const error_code ec = out.answered.error().code;
        if (ec != errc::outcome_unknown) {
            expect_equal("a write whose answer was lost", make_error_code(errc::unavailable), ec);
        }
        return out;
    }

private:
    faulty_opening opening_;
    bench through_;
    const connection_fault what_;
};

faulty_write write_with(server_under_test& of, connection_fault what) {
    return write_ahead(of, what).make();
}

void expect_all_or_nothing(bench& b, const faulty_write& what, bool applied) {
    for (const std::string& id : what.ids) {
        const bool there = b.find(id).has_value();
        expect(there == applied, "was_applied() has said " + std::string(applied ? "yes" : "no") +
                                     ", and order " + id + (there ? " is there" : " is not there"));
    }
}

// What was_applied() said is true, and stays so; then the write is made again if need be.
void check_what_became_of(bench& b, const faulty_write& what, bool applied) {
    if (applied) {
        expect_equal("a write that became durable: anything else would be tried again",
                     make_error_code(errc::outcome_unknown), what.answered.error().code);
    }
    expect_all_or_nothing(b, what, applied);
    b.close();
    b.open();
    expect_equal("was_applied(), asked again after the storage was opened again", applied,
                 value("was_applied()", b.writer().was_applied(what.writer, what.sequence)));
    expect_all_or_nothing(b, what, applied);
    const auto again = b.write(with_key(b.create(what.ids[1]), what.once));
    expect_equal("the write, with its key again", error_code{}, again.ec);
    expect_equal("whether it is a replay", applied, again.replayed);
    if (!applied) b.created(what.ids[0]);
}

void answer_that_is_lost(server_under_test& of) {
    for (const auto what : {connection_fault::cut_before_commit, connection_fault::cut_in_commit,
                            connection_fault::cut_after_commit}) {
        try {
            const faulty_write lost = write_with(of, what);
            bench b(of.harness);
            const bool applied = resolve(b, lost.writer, lost.sequence);
            if (what == connection_fault::cut_before_commit) {
                expect(!applied, "was_applied() says yes to a write that never was committed");
            }
            if (what == connection_fault::cut_after_commit) {
                expect(applied, "was_applied() says no to a write that was committed");
            }
            check_what_became_of(b, lost, applied);
            b.check_invariants();
        } catch (broken& e) {
            e.what = std::string(name_of(what)) + ": " + e.what;
            throw;
        }
    }
}

void paused_commit_is_waited_for(server_under_test& of) {
    const faulty_write lost = write_with(of, connection_fault::server_paused);
    bench b(of.harness);
    try {
        for (int i = 0; i < 2; ++i) {
            const auto applied = b.writer().was_applied(lost.writer, lost.sequence);
            if (applied) {
                fail("was_applied() says " + std::string(*applied ? "yes" : "no") +
                     " while the server has not ended the write's transaction");
            }
            connect_until_it_works(b);
        }
    } catch (...) {
        of.harness.end_fault();
        throw;
    }
    of.harness.end_fault();
    check_what_became_of(b, lost, resolve(b, lost.writer, lost.sequence));
    b.check_invariants();
}

// In a thread, which is let go and joined.
class hanging_write {
public:
    hanging_write(server_under_test& of, connection_fault what)
        : of_(of), ahead_(of, what), thread_([this] {
              try {
                  done_ = ahead_.make();
              } catch (const broken& e) {
                  broke_ = e.what;
              } catch (const std::exception& e) {
                  broke_ = std::string("an exception came out of the storage: ") + e.what();
              }
          }) {}
    ~hanging_write() {
        of_.harness.end_fault();
        if (thread_.joinable()) thread_.join();
    }
    faulty_write end() {
        of_.harness.end_fault();
        thread_.join();
        if (!broke_.empty()) fail(broke_);
        return std::move(done_);
    }

private:
    server_under_test& of_;
    write_ahead ahead_;
    faulty_write done_;
    std::string broke_;
    std::thread thread_;
};

void hang(server_under_test& of, connection_fault what) {
    hanging_write held(of, what);
    of.harness.await_fault();
    bench b(of.harness);
    const std::string name(bench::writer_name);
    batch all;
    all.changes = {b.create("beside-" + id_for(what))};
    write_until_certain(b, name, all);
    const faulty_write late = held.end();
    const bool applied = resolve(b, late.writer, late.sequence);
    expect(!applied, "a write was applied that hung while another one was made");
    check_what_became_of(b, late, applied);
    b.check_invariants();
}

void writer_that_hangs(server_under_test& of) {
    for (const auto what :
         {connection_fault::client_hangs, connection_fault::client_hangs_midway}) {
        try {
            hang(of, what);
        } catch (broken& e) {
            e.what = std::string(name_of(what)) + ": " + e.what;
            throw;
        }
    }
}

// Writes until a commit was held and then cancelled: the answer to that one.
class writes_until_cancelled {
public:
    explicit writes_until_cancelled(bench& b) : b_(b), thread_([this] { run(); }) {}
    ~writes_until_cancelled() {
        if (thread_.joinable()) thread_.join();
    }
    void cancelled() { cancelled_ = true; }
    result<void> end() {
        thread_.join();
        if (!broke_.empty()) fail(broke_);
        return last_;
    }
    std::string last_id() const { return "c" + std::to_string(made_); }

private:
    void run() {
        try {
            do {
                ++made_;
                batch all;
                all.changes = {b_.create(last_id())};
                batch_outcome out;
                last_ = b_.try_write(all, out);
            } while (last_ && !cancelled_);
        } catch (const broken& e) {
            broke_ = e.what;
        } catch (const std::exception& e) {
            broke_ = std::string("an exception came out of the storage: ") + e.what();
        }
    }

    bench& b_;
    int made_ = 0;
    std::atomic<bool> cancelled_{false};
    result<void> last_;
    std::string broke_;
    std::thread thread_;
};

void cancelled_commit_is_unknown(server_under_test& of) {
    bench b(of.harness);
    of.storage_name = b.orders().info().name;
    if (!of.harness.hold_commits(true)) throw case_skipped("the harness cannot hold commits");
    writes_until_cancelled writes(b);
    of.harness.await_held_commit();
    writes.cancelled();
    of.harness.cancel_held_commit();
    const auto answered = writes.end();
    of.harness.hold_commits(false);
    expect(!answered, "a commit whose wait for its standby was cancelled is answered as a success");
    const std::uint64_t sequence = b.sequence();
    connect_until_it_works(b);
    const bool applied = resolve(b, bench::writer_name, sequence);
    if (applied) {
        expect_equal("a write that became durable: anything else would be tried again",
                     make_error_code(errc::outcome_unknown), answered.error().code);
    }
    expect_equal("the write is there", applied, b.find(writes.last_id()).has_value());
    b.check_invariants();
}

constexpr server_entry entries[] = {
    {"an_answer_that_is_lost", "was_applied() tells what became of a write, and stays true.",
     answer_that_is_lost},
    {"a_paused_commit_is_waited_for",
     "was_applied() says nothing as long as the write may still become durable.",
     paused_commit_is_waited_for},
    {"a_writer_that_hangs", "A writer that hangs does not keep the others from writing for good.",
     writer_that_hangs},
    {"a_cancelled_commit_is_unknown", "A commit that may be lost yet is never a success.",
     cancelled_commit_is_unknown},
};

}  // namespace

std::vector<server_case> server_answer_cases() {
    return server_cases_of<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
