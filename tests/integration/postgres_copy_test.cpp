// An SQLite file that was in real use, copied into PostgreSQL: also when the copier is killed.

#include "postgres_support.hpp"

#include <orderproc/codec.hpp>
#include <orderproc/command.hpp>
#include <orderproc/copy.hpp>
#include <orderproc/runtime.hpp>
#include <orderproc/sqlite.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

using namespace postgres_support;

namespace {

const order_model& people() {
    static const order_model it = [] {
        order_rules rules;
        rules.user = user_form::text;
        rules.guests = true;
        attribute_rule email{"email"};
        email.personal = email.indexed = true;
        email.size_max = attribute_rule::indexed_text_size_max;
        attribute_rule number{"number"};
        number.indexed = true;
        number.unique = attribute_unique::everywhere;
        number.size_max = attribute_rule::indexed_text_size_max;
        rules.attributes = {email, number};
        return order_model::build(rules).value();
    }();
    return it;
}

order_draft draft_of(int i) {
    order_draft out;
    out.id = order_id::parse("ORD-" + std::to_string(i)).value();
    out.user = i % 5 == 0 ? "" : i % 5 == 1 ? "ann@example.com" : std::to_string(i % 7 + 1);
    out.item_ids = {1001, i};
    constexpr currency_code currencies[] = {"EUR", "USD", "JPY"};
    out.total_amount = {9'000'000'000 + i, currencies[i % 3]};
    out.metadata = R"({"name":"Ann ü"})";
    out.attributes = {{"email", std::to_string(i) + "@example.com"},
                      {"number", "PO-" + std::to_string(i)}};
    return out;
}

idempotency key_of(int i) {
    return testing::idempotency_of("key " + std::to_string(i));
}

// One write each, as an engine makes them.
class source_shop {
public:
    source_shop() {
        std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        BOOST_TEST_REQUIRE(static_cast<bool>(mkdtemp(name.data())));
        folder_ = name;
        file.path = folder_ + "/orders.db";
        orders_ = std::move(open_sqlite(file)).value();
        writer_ = writer_of(*orders_);
    }
    ~source_shop() {
        close();
        std::filesystem::remove_all(folder_);
    }

    void close() {
        writer_.reset();
        if (orders_) BOOST_TEST(orders_->close().has_value());
        orders_.reset();
    }

    void run(command what, std::optional<idempotency> once = {}) {
        what.idempotency_key = once;
        what.actor = "ann";
        what.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        runtime with = system_runtime();
        const change made =
            lower(std::move(what), status_machine::standard(), with, people()).value();
        change_outcome out;
        write_params params = next();
        params.changes = {&made, 1};
        write_results results;
        results.changes = {&out, 1};
        BOOST_TEST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_TEST_REQUIRE(!out.ec, made.event << ": " << out.ec.message());
    }
    void submit(int i) {
        command what;
        what.what = submit_order{draft_of(i)};
        run(std::move(what), key_of(i));
    }
    void raise(int i, const char* event) {
        command what;
        what.what = raise_event{id_of(i), event, "because"};
        run(std::move(what));
    }
    void erase(int i) {
        command what;
        what.what = erase_order{id_of(i)};
        run(std::move(what));
    }
    void record_about(const std::string& collection, const std::string& key, const std::string& of,
                      std::optional<timestamp> due = {}) {
        const change_record it{record_action::create,          collection, key, 0,
                               std::string("\0\xff value", 8), due,        of};
        record_outcome out;
        write_params params = next();
        params.records = {&it, 1};
        write_results results;
        results.records = {&out, 1};
        BOOST_TEST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_TEST_REQUIRE(!out.ec);
    }
    void claim(std::size_t limit) {
        orderproc::claim it;
        it.stage = &status_machine::standard().stages().front();
        it.worker_id = "w";
        it.expires_at = now() + 30s;
        it.lease = 30s;
        it.limit = limit;
        claim_outcome out;
        write_params params = next();
        params.claims = {&it, 1};
        write_results results;
        results.claims = {&out, 1};
        BOOST_TEST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_TEST_REQUIRE(out.orders.size() == limit);
    }
    void move_cursor(const std::string& name, std::uint64_t to) {
        const commit_cursor it{name, "owner",
                               feed_position{writer_->read_feed({}).value().newest.epoch, to},
                               now() + 60s};
        cursor_outcome out;
        write_params params = next();
        params.cursors = {&it, 1};
        write_results results;
        results.cursors = {&out, 1};
        BOOST_TEST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_TEST_REQUIRE(!out.ec);
    }
    void purge(std::size_t limit) {
        purge_orders it;
        it.limit = limit;
        it.hold_max = 0ms;
        purge_outcome out;
        write_params params = next();
        it.before = now();
        params.forget_before = now();
        params.purges = {&it, 1};
        write_results results;
        results.purges = {&out, 1};
        BOOST_TEST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_TEST(out.orders > 0U);
    }

    // All kinds of things happen to orders and beside them.
    void open_for_business() {
        for (int i = 1; i <= 60; ++i) submit(i);
        for (int i = 1; i <= 10; ++i) raise(i, "cancel");
        for (int i = 3; i <= 5; ++i) erase(i);
        purge(70);
        for (int i = 11; i <= 15; ++i) {
            command what;
            order_draft changed = draft_of(i);
            changed.total_amount.minor_units = 1;
            changed.metadata = R"({"edited":true})";
            what.what = edit_fields{id_of(i), changed};
            run(std::move(what));
        }
        for (int i = 13; i <= 20; ++i) {
            command what;
            what.what = annotate{id_of(i), {R"({"seen":"by Ann"})", {}, {}}};
            run(std::move(what));
        }
        for (int i = 18; i <= 22; ++i) raise(i, "cancel");
        erase(18);
        for (const int i : {18, 19, 20}) {
            command what;
            what.what = redact_personal{id_of(i)};
            run(std::move(what));
        }
        BOOST_TEST(writer_->rotate_epoch(4711).has_value());
        claim(12);
        move_cursor("follower \xff", 40);
        move_cursor("relay", 41);
        record_about("keys", "admin", "");
        record_about("parked", "later", id_of(30), day_one + 1h);
        BOOST_TEST(writer_->rotate_epoch(4712).has_value());
    }

    repository& db() { return *writer_; }
    static std::string id_of(int i) { return "ORD-" + std::to_string(i); }
    timestamp now() const { return day_one + std::chrono::seconds(sequence_); }

    sqlite_options file;

private:
    write_params next() {
        write_params out;
        ++sequence_;
        out.now = now();
        out.writer = "test";
        out.sequence = sequence_;
        return out;
    }

    std::string folder_;
    std::unique_ptr<storage> orders_;
    std::unique_ptr<repository> writer_;
    std::uint64_t sequence_ = 0;
};

// All that a reader can be asked, as text.
std::vector<std::string> all_of(repository_reader& in) {
    std::vector<std::string> out;
    const auto add_order = [&out](const order& it) {
        out.emplace_back();
        encode(it, out.back());
    };
    const std::vector<order_status> waiting{"PENDING"};
    for (const list_sort by : {list_sort::created_at, list_sort::order_id, list_sort::due_at}) {
        list_params params;
        params.sort = by;
        params.limit = 1000;
        if (by == list_sort::due_at) params.statuses = waiting;
        for (const order& it : in.list(params).value().orders) add_order(it);
    }
    feed_page page = in.read_feed({}).value();
    out.push_back(to_string(page.oldest) + " " + to_string(page.newest));
    page = in.read_feed({page.oldest, 10'000}).value();
    for (const journal_entry& it : page.entries) {
        out.push_back(to_string(it.position));
        out.emplace_back();
        encode(it, out.back());
    }
    for (int i = 1; i <= 60; ++i) {
        for (const journal_entry& it : in.history({.order = source_shop::id_of(i)}).value()) {
            out.push_back(to_string(it.position) + it.event + it.actor + it.reason);
            add_order(it.after);
        }
    }
    for (const named_cursor& it : in.list_cursors().value()) {
        out.push_back(it.name + to_string(it.at) + to_string(it.moved_at));
    }
    for (const char* collection : {"keys", "parked"}) {
        for (const record& it : in.list_records({collection}).value().records) {
            out.push_back(it.key + it.value + it.order + std::to_string(it.version) +
                          (it.due_at ? to_string(*it.due_at) : ""));
        }
    }
    const statistics sums = in.count().value();
    out.push_back(std::to_string(sums.completed) + " " + std::to_string(sums.created));
    for (const status_count& it : sums.orders) {
        if (it.orders == 0) continue;
        out.push_back(std::string(it.status.view()) + std::to_string(it.orders) +
                      (it.oldest_due_at ? to_string(*it.oldest_due_at) : ""));
    }
    return out;
}

result<storage_tally> copy(const sqlite_options& from, const postgres_options& to,
                           const std::function<void()>& at_half = {}) {
    const auto target = open_postgres_target(to);
    if (!target) return target.error();
    const auto source = open_sqlite_source(from);
    if (!source) return source.error();
    return copy_storage(**source, **target, [&](const storage_tally&, const storage_tally&) {
        if (at_half) at_half();
    });
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_copy_has_everything_and_goes_on, shop) {
    source_shop from;
    from.open_for_business();
    const auto before = all_of(from.db());
    check_whole(from.db());
    from.close();
    const auto copied = copy(from.file, options());
    BOOST_TEST_REQUIRE(copied.has_value(), (copied ? "" : copied.error().detail));
    BOOST_TEST(copied->orders > 40U);
    BOOST_TEST(copied->keys > 0U);
    BOOST_TEST(copied->names > 3U);
    BOOST_TEST(copied->amounts.size() == 3U);

    const auto orders = open();
    const auto writer = writer_of(*orders);
    check_whole(*writer);
    BOOST_TEST(all_of(*writer) == before, boost::test_tools::per_element());
    // A lease is still somebody's, a key is still replayed, an id and a value stay taken.
    const timestamp now = from.now() + 1s;
    claim more;
    more.stage = &status_machine::standard().stages().front();
    more.worker_id = "other";
    more.expires_at = now + 30s;
    more.lease = 30s;
    more.limit = 1000;
    runtime with = system_runtime();
    const auto submit = [&](order_draft value, std::optional<idempotency> once) {
        command what;
        what.what = submit_order{std::move(value)};
        what.idempotency_key = once;
        const change made =
            lower(std::move(what), status_machine::standard(), with, people()).value();
        return write(*writer, 1, {made}, {}, now).changes.front();
    };
    const auto again = submit(draft_of(42), key_of(42));
    BOOST_TEST(again.replayed);
    BOOST_TEST((again.after && again.after->id.view() == "ORD-42"));
    BOOST_TEST((submit(draft_of(4), {}).ec == errc::already_exists));
    order_draft twin = draft_of(1000);
    twin.attributes[1].value = "PO-42";
    BOOST_TEST((submit(twin, {}).ec == errc::attribute_taken));
    const auto next = submit(draft_of(1000), {});
    BOOST_TEST_REQUIRE(!next.ec);
    BOOST_TEST(next.after->number == 61);
    const auto claims = write(*writer, 2, {}, {more}, now).claims;
    BOOST_TEST(claims.front().orders.size() == 60U - 10 - 5 - 12 + 1);
    check_whole(*writer);
}

BOOST_FIXTURE_TEST_CASE(a_copier_that_is_killed_leaves_nothing, shop) {
    source_shop from;
    from.open_for_business();
    const auto before = all_of(from.db());
    from.close();
    const pid_t child = fork();
    BOOST_TEST_REQUIRE(child >= 0);
    if (child == 0) {
        (void)copy(from.file, options(), [] { ::raise(SIGKILL); });
        ::_exit(0);
    }
    int status = 0;
    BOOST_TEST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_TEST_REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    BOOST_TEST(sql("SELECT count(*) FROM " + table("orders")) == "0");
    const auto copied = copy(from.file, options());
    BOOST_TEST_REQUIRE(copied.has_value(), (copied ? "" : copied.error().detail));
    const auto orders = open();
    BOOST_TEST(all_of(*reader_of(*orders)) == before, boost::test_tools::per_element());
    check_whole(*reader_of(*orders));
}

// However long its source takes.
BOOST_FIXTURE_TEST_CASE(writers_that_wait_do_not_end_a_copy, shop) {
    const auto target = std::move(open_postgres_target(options())).value();
    BOOST_TEST_REQUIRE(target->begin({}).has_value());
    wait_for(
        "SELECT bool_or(state_change < clock_timestamp() - interval '2 seconds') FROM "
        "pg_stat_activity WHERE application_name = 'orderproc copy'",
        "t");
    postgres_options hasty = options();
    hasty.lock_timeout = 50ms;
    const auto others = std::move(open_postgres(hasty)).value();
    const auto done = write(*writer_of(*others), 1, {create("A")});
    BOOST_TEST_REQUIRE(!done.call);
    BOOST_TEST((done.call.error().code == errc::unavailable));
    BOOST_TEST(target->count().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_target_that_is_not_empty_is_refused, shop) {
    source_shop from;
    from.submit(1);
    from.close();
    {
        const auto orders = open();
        BOOST_TEST(write(*writer_of(*orders), 1, {create("A")}).call.has_value());
    }
    const auto copied = copy(from.file, options());
    BOOST_TEST((copied.error().code == errc::already_exists));
    const auto orders = open();
    BOOST_TEST(!holds(*reader_of(*orders), "ORD-1"));
    BOOST_TEST(write(*writer_of(*orders), 2, {create("B")}).call.has_value());
    check_whole(*reader_of(*orders));
}

BOOST_FIXTURE_TEST_CASE(a_source_that_is_open_is_refused_and_cannot_be_opened_meanwhile, shop) {
    source_shop from;
    from.submit(1);
    const auto busy = open_sqlite_source(from.file);
    BOOST_TEST((busy.error().code == errc::unavailable));
    BOOST_TEST(busy.error().detail.find("stop them first") != std::string::npos);
    from.submit(2);  // it was not disturbed
    from.close();
    {
        const auto source = open_sqlite_source(from.file);
        BOOST_TEST_REQUIRE(source.has_value());
        sqlite_options quick = from.file;
        quick.lock_timeout = 0ms;
        BOOST_TEST((open_sqlite(quick).error().code == errc::unavailable));
    }
    BOOST_TEST(open_sqlite(from.file).has_value());
    sqlite_options none = from.file;
    none.path += ".none";
    BOOST_TEST((open_sqlite_source(none).error().code == errc::not_found));
    BOOST_TEST(!std::filesystem::exists(none.path));
}

// What the copy counts is not what it was given.
BOOST_FIXTURE_TEST_CASE(a_difference_is_found_and_nothing_is_kept, shop) {
    source_shop from;
    for (int i = 1; i <= 3; ++i) from.submit(i);
    from.close();
    sql("CREATE FUNCTION " + table("lose") +
        "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.number = 2 THEN NEW.amount = 5; END "
        "IF; RETURN NEW; END'");
    sql("CREATE TRIGGER lose BEFORE INSERT ON " + table("orders") +
        " FOR EACH ROW EXECUTE FUNCTION " + table("lose") + "()");
    const auto copied = copy(from.file, options());
    BOOST_TEST((copied.error().code == errc::corrupt));
    BOOST_TEST(copied.error().detail == "the sum of a currency is not the same");
    BOOST_TEST(sql("SELECT count(*) FROM " + table("orders")) == "0");
}

BOOST_AUTO_TEST_CASE(sums_do_not_overflow) {
    BOOST_TEST(to_string(amount_sum{}) == "0");
    BOOST_TEST(to_string(amount_sum{1, 0, 14999}) == "14999");
    BOOST_TEST(to_string(amount_sum{1, 3, 42}) == "3000000042");
    BOOST_TEST(to_string(amount_sum{4, 8'000'000'000, 3'000'000'001}) == "8000000003000000001");
}
