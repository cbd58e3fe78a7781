#ifndef ORDERPROC_TESTING_KIT_HPP
#define ORDERPROC_TESTING_KIT_HPP

// What the cases are written with: a bench around the storage under test, and expectations
// whose failures people can read.

#include "core/order_difference.hpp"

#include <orderproc/command.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/testing/storage_cases.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

using orderproc::detail::show;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string show(const error_code& value);
std::string show(errc value);
std::string show(const feed_position& value);
std::string show(lease_token value);
std::string show(const std::vector<std::string>& values);

// A broken promise, before the case's name is known.
struct broken {
    std::string what;
};
[[noreturn]] void fail(std::string what);

inline void expect(bool ok, std::string_view what) {
    if (!ok) fail(std::string(what));
}
template <class A, class B>
void expect_equal(std::string_view what, const A& expected, const B& found) {
    if (!(found == expected)) {
        fail(std::string(what) + ": expected " + show(expected) + ", found " + show(found));
    }
}
void expect_same(std::string_view what, const order& expected, const order& found);
void expect_same(std::string_view what, const order& expected, const std::optional<order>& found);
void expect_ok(std::string_view what, const change_outcome& outcome);
void expect_refused(std::string_view what, errc why, const change_outcome& outcome);

// The value, or a failure that says what was being done.
template <class T>
T value(std::string_view what, result<T> outcome) {
    if (!outcome) fail(std::string(what) + " failed: " + outcome.error().message());
    return std::move(*outcome);
}

// For a case that is about more than what needs a capability.
template <class T>
bool is_supported(const result<T>& outcome) {
    return outcome || outcome.error().code != errc::not_supported;
}

struct batch {
    std::vector<change> changes;
    std::vector<claim> claims;
    std::vector<commit_cursor> cursors;
    std::vector<change_record> records = {};
    std::vector<purge_orders> purges = {};
    std::optional<timestamp> forget_before = {};  // of purges; none: now
    std::optional<record_guard> guard = {};
};
struct batch_outcome {
    std::vector<change_outcome> changes;
    std::vector<claim_outcome> claims;
    std::vector<cursor_outcome> cursors;
    std::vector<record_outcome> records;
    std::vector<purge_outcome> purges;
};

std::string id_of(const order& it);
std::vector<std::string> ids_of(const std::vector<order>& orders);
std::vector<std::string> ids_of(const std::vector<claimed_order>& orders);
idempotency key(std::uint8_t name, std::uint8_t body);
change with_key(change what, idempotency once);

// One open storage with a writer and a reader, and a clock. What fails is thrown as broken.
class bench {
public:
    explicit bench(storage_harness& harness);

    storage_harness& harness() { return harness_; }
    storage& orders() { return *storage_; }
    repository& writer() { return *writer_; }
    repository_reader& reader() { return *reader_; }
    void close();
    void open();
    void close_writer() { writer_.reset(); }  // a storage may allow only one
    void open_writer();
    result<void> connect_again();  // the writer and the reader, whatever became of them
    void require_durable();

    const status_machine& machine() const { return *machine_; }
    void use(const status_machine& machine) { machine_ = &machine; }  // outlives the bench
    // The same. Without one each order has a model that fits it, and no index entries.
    void use(const order_model& model) { model_ = &model; }
    timestamp now() { return clock_.now(); }
    void advance(milliseconds by) { clock_.advance(by); }

    // Each is one write.
    change_outcome write(change what);
    std::vector<change_outcome> write(std::vector<change> what);
    claim_outcome write(claim what);
    cursor_outcome write(commit_cursor what);
    record_outcome write(change_record what);
    purge_outcome write(purge_orders what);
    batch_outcome write(const batch& what);
    result<void> try_write(const batch& what, batch_outcome& out);
    std::uint64_t sequence() const { return sequence_; }
    static constexpr std::string_view writer_name = "kit";
    void sign_as(std::string name) { signs_as_ = std::move(name); }  // instead of writer_name

    // Changes, as the engine and a worker make them.
    change create(std::string_view id, std::int64_t user = 1);
    change create(const order& value);
    change edit(std::string_view id, std::string metadata);
    change edit(std::string_view id, order_content content);
    change raise(std::string_view id, std::string_view event, std::string reason = {});
    change annotate(std::string_view id, annotate_order fields);
    change erase(std::string_view id);
    change redact(std::string_view id);
    change refresh_index(std::string_view id);
    change leave(const claimed_order& held, std::string_view event);  // by the one who holds it
    change release(const claimed_order& held, timestamp not_before);
    change renew(const claimed_order& held, timestamp until);
    claim claim_of(std::string_view worker, std::size_t limit = 100);  // for 30 s; first stage

    // Writes that succeed.
    order created(std::string_view id, std::int64_t user = 1);
    order done(change what);
    claimed_order claimed(std::string_view id, std::string_view worker = "w");

    // Reads, by the reader.
    std::optional<order> find(std::string_view id);
    order found(std::string_view id);
    std::vector<order> list(list_params params);  // all pages
    std::vector<journal_entry> history(std::string_view id);
    std::vector<journal_entry> feed(std::size_t page = 1000);
    feed_position newest();
    statistics count();

    void check_invariants();

private:
    change lowered(command what);

    storage_harness& harness_;
    std::unique_ptr<storage> storage_;
    std::unique_ptr<repository> writer_;
    std::unique_ptr<repository_reader> reader_;
    manual_clock clock_;
    seeded_random random_;
    observer nobody_;
    const status_machine* machine_;
    const order_model* model_ = nullptr;
    std::string signs_as_{writer_name};
    std::uint64_t sequence_ = 0;
};

order sample(std::string_view id, std::int64_t user = 1);
list_params of_user(std::int64_t user);

// Runs a case; what breaks becomes case_failed. of names the storage as soon as the body knows it.
void judge(const char* name, const char* promise, const std::string& of,
           const std::function<void()>& body);

// A case as its file writes it down.
struct entry {
    const char* name;
    const char* promise;
    void (*body)(bench& b);
    std::optional<capability> needs = {};
};
void run(const entry& what, storage_harness& harness);

// A case of several processes: none of them has the storage open yet.
struct shared_case {
    storage_harness& harness;
    std::string storage_name = "a storage that cannot be opened";
};
struct shared_entry {
    const char* name;
    const char* promise;
    void (*body)(shared_case& of);
    std::optional<capability> needs = {};
};
void run(const shared_entry& what, storage_harness& harness);

template <const auto& Entries>
std::vector<storage_case> cases() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::vector<storage_case>{
            {Entries[I].name, Entries[I].promise,
             [](storage_harness& harness) { run(Entries[I], harness); }, Entries[I].needs}...};
    }
    (std::make_index_sequence<std::size(Entries)>{});
}

std::vector<storage_case> create_cases();
std::vector<storage_case> change_cases();
std::vector<storage_case> lease_cases();
std::vector<storage_case> idempotency_cases();
std::vector<storage_case> claim_cases();
std::vector<storage_case> read_cases();
std::vector<storage_case> query_cases();
std::vector<storage_case> index_cases();
std::vector<storage_case> unique_cases();
std::vector<storage_case> annotate_cases();
std::vector<storage_case> redact_cases();
std::vector<storage_case> feed_cases();
std::vector<storage_case> cursor_cases();
std::vector<storage_case> record_cases();
std::vector<storage_case> purge_cases();
std::vector<storage_case> durability_cases();
std::vector<storage_case> unchanged_cases();
std::vector<storage_case> sharing_cases();
std::vector<storage_case> sharing_claims_cases();
std::vector<storage_case> random_cases();

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
