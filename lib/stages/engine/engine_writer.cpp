#include "stages/engine/engine_writer.hpp"

#include "core/caught.hpp"
#include "core/refusal_text.hpp"

#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

std::string make_name(random_source& random) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::uint64_t bits = random.next();
    std::string name(16, '0');
    for (char& c : name) {
        c = digits[bits & 15];
        bits >>= 4;
    }
    return name;
}

// Of what is old enough to be forgotten, so much with each write that the stock cannot grow.
constexpr std::size_t forgotten_beside = 16;

// How often a write is repeated because the model was stored anew in between.
constexpr int model_reloads_max = 3;

}  // namespace

engine_writer::engine_writer(storage& orders, runtime with, present_model& model,
                             commit_listeners& listeners, const engine_options& options)
    : orders_(orders),
      with_(with),
      model_(model),
      listeners_(listeners),
      resolve_attempts_(options.resolve_attempts),
      keys_kept_(options.keys_kept),
      name_(make_name(with.random)),
      sequence_(with.random.next() >> 2),
      pauses_(with.time) {}

result<void> engine_writer::advance() noexcept {
    // The one catch boundary: storages are users' code, and memory can run out.
    try {
        return try_to_finish();
    } catch (const std::exception& e) {
        return fail_by_exception(e.what());
    } catch (...) {
        return fail_by_exception("unknown exception");
    }
}

bool engine_writer::tidy() noexcept try {
    if (!connection_) return false;
    if (tidy_due_ && with_.time.monotonic() < *tidy_due_) return true;
    const auto more = connection_->tidy();
    if (!more) {
        with_.observer.error("engine.tidy", more.error());
        connection_.reset();
    }
    tidy_due_.reset();
    if (more && *more) tidy_due_ = with_.time.monotonic() + tidy_pause;
    return tidy_due_.has_value();
} catch (const std::exception&) {  // it has changed nothing that counts
    return true;
}

result<void> engine_writer::try_to_finish() {
    if (!loaded_) load();
    if (in_doubt_) {
        auto applied = resolve();
        if (!applied) {
            with_.observer.error("engine.resolve", applied.error());
            if (resolves_ >= resolve_attempts_) finish(errc::outcome_unknown);
            return std::move(applied).error();
        }
        if (*applied) {
            finish(threw_ ? failure{errc::outcome_unknown} : failure());
            return {};
        }
        in_doubt_ = false;
        threw_ = false;
    }
    auto written = write_under_present_model();
    if (written) {
        finish({});
        return written;
    }
    with_.observer.error("engine.write", written.error());
    if (!in_doubt_) {
        finish(written.error());
    } else if (resolves_ >= resolve_attempts_) {
        finish(errc::outcome_unknown);
    }
    return written;
}

void engine_writer::load() {
    changes_.reserve(batch_.changes.size());
    cursors_.reserve(batch_.cursors.size());
    records_.reserve(batch_.records.size());
    purges_.reserve(batch_.purges.size());
    for (auto* node = batch_.changes.front(); node; node = node->next) {
        changes_.push_back(std::move(engine_queue::what(engine_queue::change_of(*node))));
    }
    for (auto* node = batch_.cursors.front(); node; node = node->next) {
        cursors_.push_back(std::move(engine_queue::what(engine_queue::cursor_of(*node))));
    }
    for (auto* node = batch_.records.front(); node; node = node->next) {
        records_.push_back(std::move(engine_queue::what(engine_queue::record_of(*node))));
    }
    for (auto* node = batch_.purges.front(); node; node = node->next) {
        purges_.push_back(engine_queue::what(engine_queue::purge_of(*node)));
    }
    loaded_ = true;
}

// The storage is users' code, and may throw.
result<void> engine_writer::look_for_pauses() noexcept try {
    return pauses_.look(*connection_);
} catch (const std::exception& e) {
    return caught(errc::unavailable, e.what());
} catch (...) {
    return errc::unavailable;
}

// Claims of paused work are answered without a write. If the pauses cannot be read, the claims
// fail, and nothing else of the batch does.
result<void> engine_writer::load_claims() {
    if (claim_at_.size() == batch_.claims.size()) return {};
    if (auto ok = look_for_pauses(); !ok) {
        with_.observer.error("engine.pauses", ok.error());
        claims_failed_ = ok.error().code ? ok.error().code : error_code(errc::unavailable);
        claim_at_.assign(batch_.claims.size(), not_claimed);
        connection_.reset();
        return connect();
    }
    claim_at_.reserve(batch_.claims.size());
    claims_.reserve(batch_.claims.size());
    for (auto* node = batch_.claims.front(); node; node = node->next) {
        claim& what = engine_queue::what(engine_queue::claim_of(*node));
        const bool waits = pauses_.holds(*what.stage);
        claim_at_.push_back(waits ? not_claimed : claims_.size());
        if (!waits) claims_.push_back(std::move(what));
    }
    return {};
}

std::size_t engine_writer::size() const noexcept {
    return changes_.size() + claims_.size() + cursors_.size() + records_.size() + purges_.size();
}

// None: it was not made.
claim_outcome* engine_writer::outcome_of_claim(std::size_t at) noexcept {
    const std::size_t made = claim_at_[at];
    return made == not_claimed ? nullptr : &claim_outcomes_[made];
}

// What this engine itself has written counts at once, and workers look for what was put off.
void engine_writer::notice_pauses() noexcept {
    for (const change_record& it : records_) {
        if (it.collection != pause_collection) continue;
        pauses_.expire();
        listeners_.announce();
        return;
    }
}

result<void> engine_writer::connect() {
    if (connection_) return {};
    auto made = orders_.connect_writer();
    if (made) {
        connection_ = std::move(*made);
        return {};
    }
    // Whatever it says, nothing was sent.
    failure why = std::move(made).error();
    if (!why.code || why.code == errc::outcome_unknown) why.code = errc::unavailable;
    return why;
}

// Once more for each model that is newer than the one it was made for.
result<void> engine_writer::write_under_present_model() {
    auto written = write();
    for (int i = 0; !written && written.error().code == errc::model_changed; ++i) {
        if (!model_.is_stored() || i == model_reloads_max) {
            return failure{errc::unavailable, "the stored order model has changed"};
        }
        if (auto ok = reload_model(); !ok) return ok;
        written = write();
    }
    return written;
}

result<void> engine_writer::reload_model() {
    if (auto ok = connect(); !ok) return ok;
    auto loaded = model_.reload(*connection_);
    if (!loaded) connection_.reset();
    return loaded;
}

result<void> engine_writer::write() {
    if (auto ok = connect(); !ok) return ok;
    if (auto ok = load_claims(); !ok) return ok;
    if (size() == 0) return {};
    const model_generation& model = model_.get();
    if (model_.is_stored()) {
        for (change& it : changes_) model_.adapt(it, model);
    }
    change_outcomes_.clear();
    change_outcomes_.resize(changes_.size());
    claim_outcomes_.clear();
    claim_outcomes_.resize(claims_.size());
    cursor_outcomes_.clear();
    cursor_outcomes_.resize(cursors_.size());
    record_outcomes_.clear();
    record_outcomes_.resize(records_.size());
    purge_outcomes_.clear();
    purge_outcomes_.resize(purges_.size());
    write_params params;
    params.now = with_.time.now();
    params.writer = name_;
    params.sequence = ++sequence_;
    params.changes = changes_;
    params.claims = claims_;
    params.cursors = cursors_;
    params.records = records_;
    params.purges = purges_;
    params.forget_before = params.now - keys_kept_;
    params.forget_max = 2 * changes_.size() + forgotten_beside;
    params.guard = model_.guard_of(model);
    write_results results{change_outcomes_, claim_outcomes_, cursor_outcomes_, record_outcomes_,
                          purge_outcomes_};

    const auto begun = std::chrono::steady_clock::now();
    in_doubt_ = true;
    threw_ = true;
    auto written = connection_->write(params, results);
    threw_ = false;
    write_time_ += std::chrono::steady_clock::now() - begun;
    if (!written) connection_.reset();
    if (written) check_clock(params.now);
    // A failure that says nothing about itself says nothing about the outcome either.
    in_doubt_ =
        !written && (!written.error().code || written.error().code == errc::outcome_unknown);
    return written;
}

void engine_writer::check_clock(timestamp now) noexcept try {
    std::optional<timestamp> recorded;
    for (auto it = change_outcomes_.rbegin(); it != change_outcomes_.rend() && !recorded; ++it) {
        if (it->journaled && it->after) recorded = it->after->updated_at;
    }
    for (const claim_outcome& it : claim_outcomes_) {
        if (!recorded && !it.orders.empty()) recorded = it.orders.front().value.updated_at;
    }
    const auto wrong = clock_.judge(now, with_.time.monotonic(), recorded);
    if (wrong) with_.observer.error("clock", *wrong);
} catch (const std::exception&) {  // out of memory for the text: the write is as good
}

result<bool> engine_writer::resolve() {
    ++resolves_;
    connection_.reset();
    if (auto ok = connect(); !ok) return std::move(ok).error();
    auto applied = connection_->was_applied(name_, sequence_);
    if (!applied) connection_.reset();
    return applied;
}

// What became of a write that threw is asked, as after any other doubt. If it was applied, it left
// no results, so its callers' outcomes remain unknown. An exception while asking changes nothing
// about the results of the write.
result<void> engine_writer::fail_by_exception(const char* text) noexcept {
    connection_.reset();
    failure why = caught(in_doubt_ ? errc::outcome_unknown : errc::unavailable, text);
    with_.observer.error("engine", why);
    if (!in_doubt_ || resolves_ >= resolve_attempts_) finish(why);
    return why;
}

void engine_writer::finish(const failure& why) noexcept {
    const error_code ec = why.code;
    batch_report report;
    report.changes = batch_.changes.size();
    report.claims = ec ? batch_.claims.size() : claims_.size();
    report.cursors = batch_.cursors.size();
    report.records = batch_.records.size();
    report.purges = batch_.purges.size();
    report.write_time = std::chrono::duration_cast<std::chrono::microseconds>(write_time_);
    report.ec = ec;
    if (ec || size() > 0) with_.observer.batch_written(report);
    if (!ec && tell_observer()) listeners_.announce();
    if (!ec) notice_pauses();
    answer(why);
    changes_.clear();
    claims_.clear();
    claim_at_.clear();
    claims_failed_ = {};
    cursors_.clear();
    records_.clear();
    purges_.clear();
    change_outcomes_.clear();
    claim_outcomes_.clear();
    cursor_outcomes_.clear();
    record_outcomes_.clear();
    purge_outcomes_.clear();
    loaded_ = false;
    in_doubt_ = false;
    threw_ = false;
    resolves_ = 0;
    write_time_ = {};
}

void engine_writer::tell_of_key(const change_outcome& outcome) noexcept {
    if (outcome.ec == errc::idempotency_mismatch) {
        with_.observer.key_used(key_use::mismatched);
    } else if (!outcome.ec) {
        with_.observer.key_used(outcome.replayed ? key_use::replayed : key_use::fresh);
    }
}

// Whether the journal grew.
bool engine_writer::tell_observer() noexcept {
    bool grew = false;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const change& what = changes_[i];
        const change_outcome& outcome = change_outcomes_[i];
        if (what.idempotency_key) tell_of_key(outcome);
        if (!outcome.journaled) continue;
        grew = true;
        if (!outcome.after) continue;
        const auto* move = std::get_if<transition_order>(&what.action);
        const bool completed = what.lease && move && move->completes;
        with_.observer.transition_committed({*outcome.after, what.event, what.actor, completed});
    }
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        const claim_outcome& got = claim_outcomes_[i];
        if (got.orders.empty() && got.released == 0 && got.failed == 0) continue;
        grew = true;
        with_.observer.orders_claimed(
            {*claims_[i].stage, got.orders.size(), got.released, got.failed, got.reclaimed});
    }
    return grew;
}

// Without memory the code has to do.
void engine_writer::explain(change_outcome& refused, const change& what) noexcept {
    try {
        if (refused.detail.empty()) refused.detail = describe_refusal(what, refused);
    } catch (const std::exception&) {
    }
}

change_outcome engine_writer::failed(const failure& why) noexcept {
    change_outcome out;
    out.ec = why.code;
    try {
        out.detail = why.detail;
    } catch (const std::exception&) {
    }
    return out;
}

void engine_writer::answer(const failure& why) noexcept {
    const error_code ec = why.code;
    // A request may be gone, or queued again, once it is completed.
    for (std::size_t i = 0; auto* node = batch_.changes.pop_front(); ++i) {
        change_outcome lost;
        if (ec) lost = failed(why);
        change_outcome& outcome = ec ? lost : change_outcomes_[i];
        if (!ec && outcome.ec) explain(outcome, changes_[i]);
        engine_queue::change_of(*node).complete(outcome);
    }
    for (std::size_t i = 0; auto* node = batch_.claims.pop_front(); ++i) {
        claim_outcome nothing;
        claim_outcome* const made = ec ? nullptr : outcome_of_claim(i);
        const error_code why_not = ec ? ec : claims_failed_;
        if (made) {
            engine_queue::claim_of(*node).complete({}, *made);
            continue;
        }
        // Nobody tells a worker that work goes on: it asks again.
        nothing.held = !why_not;
        if (nothing.held) nothing.next_due = with_.time.now() + pause_look_interval;
        engine_queue::claim_of(*node).complete(why_not, nothing);
    }
    for (std::size_t i = 0; auto* node = batch_.cursors.pop_front(); ++i) {
        engine_queue::cursor_of(*node).complete(ec ? cursor_outcome{ec, {}} : cursor_outcomes_[i]);
    }
    for (std::size_t i = 0; auto* node = batch_.records.pop_front(); ++i) {
        record_outcome lost{ec, {}};
        engine_queue::record_of(*node).complete(ec ? lost : record_outcomes_[i]);
    }
    for (std::size_t i = 0; auto* node = batch_.purges.pop_front(); ++i) {
        purge_outcome lost;
        lost.ec = ec;
        engine_queue::purge_of(*node).complete(ec ? lost : purge_outcomes_[i]);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
