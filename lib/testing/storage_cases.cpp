#include "testing/kit.hpp"

#include <orderproc/verify.hpp>

#include <algorithm>
#include <exception>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

std::string show(const error_code& value) {
    return value ? "\"" + value.message() + "\"" : "success";
}
std::string show(errc value) {
    return show(make_error_code(value));
}
std::string show(const feed_position& value) {
    return std::to_string(value.epoch) + "-" + std::to_string(value.offset);
}
std::string show(lease_token value) {
    return std::to_string(static_cast<std::uint64_t>(value));
}
std::string show(const std::vector<std::string>& values) {
    std::string out = "[";
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i == 20) return out + " … (" + std::to_string(values.size()) + ")]";
        out += (i == 0 ? "" : " ") + values[i];
    }
    return out + "]";
}

void fail(std::string what) {
    throw broken{std::move(what)};
}

void expect_same(std::string_view what, const order& expected, const order& found) {
    const std::string why = orderproc::detail::order_difference(expected, found);
    if (!why.empty()) fail(std::string(what) + ", order " + id_of(expected) + ", " + why);
}

void expect_same(std::string_view what, const order& expected, const std::optional<order>& found) {
    if (!found) fail(std::string(what) + ": expected order " + id_of(expected) + ", found none");
    expect_same(what, expected, *found);
}

void expect_ok(std::string_view what, const change_outcome& outcome) {
    expect_equal(what, error_code{}, outcome.ec);
    expect(outcome.after.has_value(), std::string(what) + ": succeeded without an order");
}

void expect_refused(std::string_view what, errc why, const change_outcome& outcome) {
    expect_equal(what, make_error_code(why), outcome.ec);
    expect(!outcome.replayed, std::string(what) + ": refused, yet replayed");
}

std::string id_of(const order& it) {
    return it.id.empty() ? "(without an id)" : std::string(it.id.view());
}
std::vector<std::string> ids_of(const std::vector<order>& orders) {
    std::vector<std::string> out;
    for (const order& it : orders) out.push_back(id_of(it));
    return out;
}
std::vector<std::string> ids_of(const std::vector<claimed_order>& orders) {
    std::vector<std::string> out;
    for (const claimed_order& it : orders) out.push_back(id_of(it.value));
    return out;
}

idempotency key(std::uint8_t name, std::uint8_t body) {
    idempotency out;
    out.key.fill(std::byte{name});
    out.body.fill(std::byte{body});
    return out;
}

change with_key(change what, idempotency once) {
    what.idempotency_key = once;
    return what;
}

order sample(std::string_view id, std::int64_t user) {
    order out;
    out.id = value("the id of a sample", order_id::parse(id));
    out.user = std::to_string(user);
    out.item_ids = {1001, 1002, 1002};
    out.total_amount = {14999, "USD"};
    out.metadata = R"({"note":"a sample"})";
    return out;
}

list_params of_user(std::int64_t user) {
    list_params out;
    out.scope.user = std::to_string(user);
    return out;
}

bench::bench(storage_harness& harness) : harness_(harness), machine_(&status_machine::standard()) {
    open();
}

void bench::open() {
    storage_ = harness_.open();
    open_writer();
    reader_ = value("connecting a reader", storage_->connect_reader());
}

void bench::open_writer() {
    writer_ = value("connecting a writer", storage_->connect_writer());
}

result<void> bench::connect_again() {
    reader_.reset();
    writer_.reset();
    auto writes = storage_->connect_writer();
    if (!writes) return std::move(writes).error();
    auto reads = storage_->connect_reader();
    if (!reads) return std::move(reads).error();
    writer_ = std::move(*writes);
    reader_ = std::move(*reads);
    return {};
}

void bench::close() {
    reader_.reset();
    writer_.reset();
    storage_.reset();
}

void bench::require_durable() {
    if (!storage_->info().durable) {
        throw case_skipped(storage_->info().name + " is not durable");
    }
}

result<void> bench::try_write(const batch& what, batch_outcome& out) {
    out.changes.assign(what.changes.size(), {});
    out.claims.assign(what.claims.size(), {});
    out.cursors.assign(what.cursors.size(), {});
    out.records.assign(what.records.size(), {});
    out.purges.assign(what.purges.size(), {});
    write_params params;
    params.now = now();
    params.writer = signs_as_;
    params.sequence = ++sequence_;
    params.changes = what.changes;
    params.claims = what.claims;
    params.cursors = what.cursors;
    params.records = what.records;
    params.purges = what.purges;
    if (!what.purges.empty()) params.forget_before = what.forget_before.value_or(now());
    params.guard = what.guard;
    write_results results{out.changes, out.claims, out.cursors, out.records, out.purges};
    return writer_->write(params, results);
}

batch_outcome bench::write(const batch& what) {
    batch_outcome out;
    if (auto ok = try_write(what, out); !ok) fail("write() failed: " + ok.error().message());
    return out;
}
change_outcome bench::write(change what) {
    batch one;
    one.changes.push_back(std::move(what));
    return std::move(write(one).changes.front());
}
std::vector<change_outcome> bench::write(std::vector<change> what) {
    batch some;
    some.changes = std::move(what);
    return write(some).changes;
}
claim_outcome bench::write(claim what) {
    batch one;
    one.claims.push_back(std::move(what));
    return std::move(write(one).claims.front());
}
cursor_outcome bench::write(commit_cursor what) {
    batch one;
    one.cursors.push_back(std::move(what));
    return write(one).cursors.front();
}

record_outcome bench::write(change_record what) {
    batch one;
    one.records.push_back(std::move(what));
    return std::move(write(one).records.front());
}

purge_outcome bench::write(purge_orders what) {
    batch one;
    one.purges.push_back(what);
    return std::move(write(one).purges.front());
}

namespace {

// A model under which an order of this content is right, whatever it is: what a storage keeps does
// not depend on models.
order_model model_for(const order_content& it) {
    constexpr attribute_type types[] = {attribute_type::text, attribute_type::integer,
                                        attribute_type::boolean, attribute_type::time,
                                        attribute_type::amount};
    order_rules rules;
    rules.items = it.lines.empty() ? items_form::item_ids : items_form::lines;
    rules.user = user_form::text;
    rules.guests = true;
    rules.ids = id_form::any;
    rules.tenants = !it.tenant.empty();
    for (const order_attribute& attribute : it.attributes) {
        attribute_rule rule{attribute.name, types[attribute.value.index()]};
        if (rule.type == attribute_type::text) rule.size_min = 0;
        rules.attributes.push_back(std::move(rule));
    }
    return value("order_model::build()", order_model::build(std::move(rules)));
}

}  // namespace

change bench::lowered(command what) {
    what.actor = "kit";
    what.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    runtime with{clock_, random_, nobody_};
    if (model_) return value("lower()", lower(std::move(what), *machine_, with, *model_));
    const auto* submit = std::get_if<submit_order>(&what.what);
    const auto* edit = std::get_if<edit_fields>(&what.what);
    const order_content none;
    const order_content* const edited = edit ? &edit->fields : &none;
    const order_model model = model_for(submit ? submit->value : *edited);
    change out = value("lower()", lower(std::move(what), *machine_, with, model));
    out.model = nullptr;  // it does not live as long
    return out;
}

change bench::create(const order& it) {
    command what;
    what.what = submit_order{{it, it.id}};
    return lowered(std::move(what));
}
change bench::create(std::string_view id, std::int64_t user) {
    return create(sample(id, user));
}
change bench::edit(std::string_view id, std::string metadata) {
    order_content content;
    content.user = "7";
    content.item_ids = {5, 6};
    content.total_amount = {150, "JPY"};
    content.metadata = std::move(metadata);
    return edit(id, std::move(content));
}
change bench::edit(std::string_view id, order_content content) {
    command what;
    what.what = edit_fields{std::string(id), {std::move(content), {}}};
    return lowered(std::move(what));
}
change bench::raise(std::string_view id, std::string_view event, std::string reason) {
    command what;
    what.what = raise_event{std::string(id), std::string(event), std::move(reason)};
    return lowered(std::move(what));
}
change bench::annotate(std::string_view id, annotate_order fields) {
    command what;
    what.what = orderproc::annotate{std::string(id), std::move(fields)};
    return lowered(std::move(what));
}
change bench::redact(std::string_view id) {
    command what;
    what.what = redact_personal{std::string(id)};
    return lowered(std::move(what));
}
change bench::refresh_index(std::string_view id) {
    command what;
    what.what = orderproc::refresh_index{std::string(id)};
    return lowered(std::move(what));
}
change bench::erase(std::string_view id) {
    command what;
    what.what = erase_order{std::string(id)};
    return lowered(std::move(what));
}

change bench::leave(const claimed_order& held, std::string_view event) {
    const transition* rule = machine_->find(event);
    expect(rule != nullptr, "the machine has no event " + std::string(event));
    const work_stage* stage = machine_->stage_active_in(held.value.status);
    transition_order move;
    move.to = rule->to;
    move.queued = machine_->stage_waiting_in(rule->to) != nullptr;
    move.settles = machine_->is_settled(rule->to);
    move.completes = stage && event != stage->fail && machine_->is_final(rule->to);
    move.reason = "left by its worker";
    change out;
    out.order = id_of(held.value);
    out.event = event;
    out.from = rule->from;
    out.lease = held.lease;
    out.actor = "worker";
    out.action = std::move(move);
    return out;
}
change bench::release(const claimed_order& held, timestamp not_before) {
    change out = leave(held, "release");
    auto& move = std::get<transition_order>(out.action);
    move.next_attempt_at = not_before;
    move.last_error = "try later";
    return out;
}
change bench::renew(const claimed_order& held, timestamp until) {
    change out;
    out.order = id_of(held.value);
    out.event = "renew";
    out.lease = held.lease;
    out.actor = "worker";
    out.action = renew_lease{until};
    return out;
}
claim bench::claim_of(std::string_view worker, std::size_t limit) {
    claim out;
    out.stage = &machine_->stages().front();
    out.worker_id = worker;
    out.expires_at = now() + seconds(30);
    out.limit = limit;
    return out;
}

order bench::done(change what) {
    const std::string name = what.event + " of order " + what.order;
    const change_outcome outcome = write(std::move(what));
    expect_ok(name, outcome);
    expect(!outcome.replayed, name + ": replayed, though its key is new");
    return *outcome.after;
}
order bench::created(std::string_view id, std::int64_t user) {
    return done(create(id, user));
}
claimed_order bench::claimed(std::string_view id, std::string_view worker) {
    claim what = claim_of(worker);
    what.only.emplace_back(id);
    const claim_outcome outcome = write(std::move(what));
    expect_equal("claiming by id", std::vector{std::string(id)}, ids_of(outcome.orders));
    return outcome.orders.front();
}

std::optional<order> bench::find(std::string_view id) {
    const std::vector ids{std::string(id)};
    auto rows = value("load()", reader_->load({ids, {}})).orders;
    expect_equal("answers of load() for one id", std::size_t{1}, rows.size());
    return std::move(rows.front());
}
order bench::found(std::string_view id) {
    auto row = find(id);
    expect(row.has_value(), "load() does not find order " + std::string(id));
    return std::move(*row);
}

std::vector<order> bench::list(list_params params) {
    std::vector<order> out;
    while (true) {
        order_page page = value("list()", reader_->list(params));
        expect(page.orders.size() <= params.limit, "a page is longer than its limit");
        expect(!page.next || page.orders.size() == params.limit,
               "a page that is not full says that there is another");
        out.insert(out.end(), page.orders.begin(), page.orders.end());
        if (!page.next) return out;
        expect(out.size() < 100'000, "the pages of a list never end");
        params.after = page.next;
    }
}

std::vector<journal_entry> bench::history(std::string_view id) {
    return value("history()", reader_->history({id, order_version{0}, 1000}));
}

std::vector<journal_entry> bench::feed(std::size_t size) {
    std::vector<journal_entry> out;
    feed_params params{{}, size};
    while (true) {
        feed_page page = value("read_feed()", reader_->read_feed(params));
        if (page.reset && params.after.offset == 0) {  // it begins at a floor
            params.after = page.oldest;
            continue;
        }
        expect(!page.reset, "the feed resets a reader that goes on");
        expect(page.entries.size() <= size, "a feed page is longer than its limit");
        if (page.entries.empty()) return out;
        params.after = page.entries.back().position;
        out.insert(out.end(), page.entries.begin(), page.entries.end());
        expect(out.size() < 1'000'000, "the feed never ends");
    }
}
feed_position bench::newest() {
    return value("read_feed()", reader_->read_feed({{}, 1})).newest;
}
statistics bench::count() {
    return value("count()", reader_->count());
}

void bench::check_invariants() {
    const auto report = value("verify()", verify(*reader_, *machine_));
    if (report.difference) fail("after the case, verify() found: " + *report.difference);
}

namespace {

void expect_declared(const storage_info& of, std::optional<capability> needs) {
    if (!needs || of.capabilities.has(*needs)) return;
    throw case_skipped(of.name + " does not declare the capability " +
                       std::string(to_string(*needs)));
}

}  // namespace

void judge(const char* name, const char* promise, const std::string& of,
           const std::function<void()>& body) {
    std::string broke;
    try {
        body();
        return;
    } catch (const broken& e) {
        broke = e.what;
    } catch (const case_skipped&) {
        throw;
    } catch (const std::exception& e) {
        broke = std::string("an exception came out of the storage: ") + e.what();
    }
    throw case_failed(std::string(promise) + "\n  " + broke + "\n  (case " + name + ", of " + of +
                      ")");
}

void run(const entry& what, storage_harness& harness) {
    std::string of = "a storage that cannot be opened";
    judge(what.name, what.promise, of, [&] {
        bench b(harness);
        of = b.orders().info().name;
        expect_declared(b.orders().info(), what.needs);
        what.body(b);
        b.check_invariants();
    });
}

void run(const shared_entry& what, storage_harness& harness) {
    shared_case of{harness};
    judge(what.name, what.promise, of.storage_name, [&] { what.body(of); });
}

}  // namespace kit

std::span<const storage_case> storage_cases() {
    static const std::vector<storage_case> all = [] {
        std::vector<storage_case> out;
        for (auto part : {kit::create_cases,         kit::change_cases,    kit::lease_cases,
                          kit::idempotency_cases,    kit::claim_cases,     kit::read_cases,
                          kit::query_cases,          kit::index_cases,     kit::unique_cases,
                          kit::annotate_cases,       kit::redact_cases,    kit::feed_cases,
                          kit::cursor_cases,         kit::record_cases,    kit::purge_cases,
                          kit::durability_cases,     kit::unchanged_cases, kit::sharing_cases,
                          kit::sharing_claims_cases, kit::random_cases}) {
            auto cases = part();
            std::move(cases.begin(), cases.end(), std::back_inserter(out));
        }
        return out;
    }();
    return all;
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
