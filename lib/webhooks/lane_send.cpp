// Requests of a lane, and what comes of them.

#include "stages/common/retry_delay.hpp"
#include "webhooks/lane.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds retry_after_max(24 * 60 * 60);
// Failures in a row after which new events are held: of an endpoint that is away or overloaded, and
// of one that does not want them.
constexpr std::uint32_t failures_of_endpoint = 3;
constexpr std::uint32_t failures_of_events = 8;
constexpr milliseconds probe_first = seconds(1);
constexpr milliseconds probe_cap = std::chrono::minutes(5);
constexpr std::size_t failed_max = 10'000;   // attempts that are stored
constexpr std::size_t failed_removed = 200;  // at a time
constexpr milliseconds sent_every = seconds(5);

bool is_success(const webhook_response& it) noexcept {
    return it.status / 100 == 2 && it.error.empty();
}

// It says nothing about the event.
bool is_of_endpoint(const webhook_response& it) noexcept {
    return it.status == 0 || it.status == 408 || it.status == 429 || it.status >= 500;
}

bool may_wait_as_told(const webhook_response& it) noexcept {
    return (it.status == 429 || it.status == 503) && it.retry_after &&
           *it.retry_after >= seconds(0);
}

bool is_field_value(std::string_view text) noexcept {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string reason_of(const webhook_response& it) {
    if (!it.error.empty()) return it.error;
    if (it.status / 100 == 3) return "redirects are not followed";
    return {};
}

}  // namespace

bool lane::struggling() const noexcept {
    return failures_ >= failures_of_endpoint;
}

std::size_t lane::allowed() const noexcept {
    return struggling() ? 1 : std::min(core_.options.per_endpoint, window_of_sends_);
}

// Asked before each request, because reads of the storage since the step began may have taken
// longer than the lease.
bool lane::in_lease() const noexcept {
    return leading() && core_.with.time.monotonic() < lease_->leads_until();
}

bool lane::has_slot() const noexcept {
    return flights_.size() < allowed() && core_.has_slot(struggling()) && in_lease();
}

// Half of them at most, so that what is parked holds nothing up.
bool lane::parked_has_slot() const noexcept {
    return has_slot() && parked_sending_ < std::max<std::size_t>(1, allowed() / 2);
}

void lane::send(letter what, const outgoing_event& it, answer_handler then) {
    const timestamp now = core_.with.time.now();
    what.began_at = now;
    webhook_request out;
    out.endpoint = endpoint_.id;
    out.url = endpoint_.url;
    out.body = *it.body;
    out.timeout = core_.options.timeout;
    std::vector<webhook_secret> signers;
    for (const auto& [secret, until] : secrets_) {
        if (until > now) signers.push_back(secret);
    }
    auto signature = webhook_signature(signers, what.event, now, out.body);
    out.fields = {{"webhook-id", what.event},
                  {"webhook-timestamp", webhook_timestamp(now)},
                  {"webhook-signature", signature ? *signature : std::string()},
                  {"content-type", std::string(cloud_event_media_type)},
                  {"user-agent", core_.options.user_agent}};
    if (is_field_value(it.traceparent)) out.fields.emplace_back("traceparent", it.traceparent);
    const auto id = std::make_shared<std::uint64_t>(0);
    auto landed = [this, id, number = it.number, what,
                   then = std::move(then)](webhook_response& got) {
        touched_ = true;
        flights_.erase(*id);
        busy_.erase(number);
        trusting([&] { land(what, got, then); });
    };
    if (!signature) {  // nothing goes out unsigned
        throw boost::system::system_error(signature.error().code, signature.error().detail);
    }
    // Nothing may be thrown once it is under way: what lands is what is known here.
    std::set<std::uint64_t> place{0};
    auto known = place.extract(place.begin());
    busy_.insert(it.number);
    try {
        *id = core_.send(std::move(out), struggling(), std::move(landed));
    } catch (...) {
        busy_.erase(it.number);
        throw;
    }
    known.value() = *id;
    flights_.insert(std::move(known));
}

void lane::land(const letter& what, const webhook_response& got, const answer_handler& then) {
    if (is_success(got)) {
        note_success();
    } else {
        note_failure(got);
    }
    std::optional<timestamp> next_at;
    then(got, next_at);
    note(what, got, next_at);
    check_limits();
}

// What is new, in its order as far as it is of one order.
void lane::dispatch(clock::instant now) {
    if (now < held_until_ || now < probe_due_) return;
    for (outgoing_event& it : window_) {
        if (it.is != outgoing_event::state::waiting || parked_.contains(it.number)) continue;
        if (busy_.contains(it.number)) continue;
        if (!has_slot()) return;
        letter what{source::live, event_id(it.at, endpoint_.id), it.order, it.at, it.version};
        send(std::move(what), it,
             [this, &it](const webhook_response& got, std::optional<timestamp>& next_at) {
                 const bool ok = is_success(got);
                 it.is = ok ? outgoing_event::state::done : outgoing_event::state::waiting;
                 if (!ok) fail_live(it, got, next_at);
             });
        it.is = outgoing_event::state::sending;
    }
}

milliseconds lane::delay_after(const webhook_response& got, std::uint32_t attempts) const {
    const auto& all = core_.options.retries;
    const milliseconds by = all[std::min<std::size_t>(attempts, all.size()) - 1];
    constexpr double unit = 0x1.0p-53;
    const double chance = static_cast<double>(core_.with.random.next() >> 11) * unit;  // [0, 1)
    const milliseconds own(
        static_cast<milliseconds::rep>(static_cast<double>(by.count()) * (0.8 + 0.4 * chance)));
    // It may be told to wait for longer, and never so shortly that its attempts are soon used up.
    if (!may_wait_as_told(got)) return own;
    return std::max<milliseconds>(own, std::min(*got.retry_after, retry_after_max));
}

void lane::note_success() {
    ++core_.delivered;
    failures_ = 0;
    probes_ = 0;
    probe_due_ = clock::instant::min();
    failing_since_.reset();
    window_of_sends_ = std::min(core_.options.per_endpoint, window_of_sends_ + 1);
}

// Several that were under way together fail together: that is one failed probe.
void lane::note_failure(const webhook_response& got) {
    ++core_.failed;
    ++failures_;
    if (!failing_since_) failing_since_ = core_.with.time.now();
    const auto now = core_.with.time.monotonic();
    if (is_of_endpoint(got)) {
        window_of_sends_ = std::max<std::size_t>(1, window_of_sends_ / 2);
    }
    const auto most = is_of_endpoint(got) ? failures_of_endpoint : failures_of_events;
    if (failures_ >= most && now >= probe_due_) {
        const auto times = std::min<std::uint32_t>(probes_++, 16);
        probe_due_ = now + std::min(probe_first * (1 << times), probe_cap);
    }
    if (may_wait_as_told(got)) {
        held_until_ = std::max(held_until_, now + std::min(*got.retry_after, retry_after_max));
    }
    if (got.status == 410) pause("it answered 410 Gone");
}

void lane::note(const letter& what, const webhook_response& got,
                const std::optional<timestamp>& next_at) {
    webhook_attempt it;
    it.id = attempt_id(what.began_at, what.event);
    it.event = what.event;
    it.order = what.order;
    it.at = what.at;
    it.version = what.version;
    it.began_at = what.began_at;
    it.took = std::max(milliseconds(0), core_.with.time.now() - what.began_at);
    it.status = got.status;
    it.error = reason_of(got);
    it.number = what.number;
    it.next_at = next_at;
    if (is_success(got)) {
        sent_.push_back(std::move(it));
        if (sent_.size() >= 2 * sent_kept) forget_sent();
        sent_dirty_ = true;
        return;
    }
    it.answer = got.body.substr(0, webhook_attempt::answer_size_max);
    store_failed(it);
}

void lane::forget_sent() {
    if (sent_.size() <= sent_kept) return;
    sent_.erase(sent_.begin(), sent_.end() - static_cast<std::ptrdiff_t>(sent_kept));
}

void lane::store_failed(const webhook_attempt& it) {
    change_record what =
        create_of(attempts_collection, prefix_of(endpoint_.id) + it.id, encode(it));
    what.due_at = it.began_at + core_.options.attempts_kept;
    what.order = it.order;
    core_.write(std::move(what), {});
    if (++failed_stored_ <= failed_max) return;
    const std::string prefix = prefix_of(endpoint_.id);
    const auto oldest = core_.journal.use([&](repository_reader& from) {
        return from.list_records({attempts_collection, prefix, {}, failed_removed});
    });
    if (!oldest) return;  // with the next one
    for (const record& one : oldest->records) {
        core_.write(removal_of(attempts_collection, one.key, one.version), {});
    }
    failed_stored_ -= std::min(failed_stored_, oldest->records.size());
}

// One record for all of them, now and then: a crash loses what people would have liked to see.
void lane::store_sent(clock::instant now, bool at_once) {
    if (!sent_dirty_ || sent_writing_ || (now < sent_due_ && !at_once)) return;
    forget_sent();
    change_record what = create_of(sent_collection, endpoint_.id, encode_lines(sent_));
    if (sent_stored_ > 0) {
        what.action = record_action::replace;
        what.version = sent_stored_;
    }
    core_.write(std::move(what), [weak = weak_from_this()](record_outcome& outcome) {
        const auto self = weak.lock();
        if (!self) return;
        self->touched_ = true;
        self->sent_writing_ = false;
        if (outcome.present || !outcome.ec) {
            self->sent_stored_ = outcome.present ? outcome.present->version : 0;
        } else if (outcome.ec == errc::not_found) {
            self->sent_stored_ = 0;
        }
        if (outcome.ec && outcome.ec != errc::stopped) self->sent_dirty_ = true;
    });
    sent_dirty_ = false;
    sent_writing_ = true;
    // Counted from when the cursors moved last, so that all endpoints share a durable write.
    sent_due_ = std::min(now, core_.tick_due - core_.options.move_every) + sent_every;
}

void lane::check_limits() {
    if (!failing_since_) return;
    if (core_.with.time.now() - *failing_since_ >= core_.options.failing_max) {
        pause("all attempts have failed since " + to_string(*failing_since_));
    }
}

// Nothing is sent from now on, whether or not that is written yet.
void lane::pause(std::string why) {
    if (!pausing_.empty() || endpoint_.state != webhook_state::active) return;
    pausing_ = std::move(why);
    pause_due_ = clock::instant::min();
    core_.report("webhooks.paused", errc::unavailable,
                 "endpoint " + endpoint_.id + " is paused: " + pausing_);
}

void lane::write_pause(clock::instant now) {
    if (pausing_.empty() || pause_writing_ || now < pause_due_) return;
    if (endpoint_.state != webhook_state::active) return;
    webhook_endpoint paused = endpoint_;
    paused.state = webhook_state::paused;
    paused.paused_why = pausing_;
    auto what = replace_of(webhook_collection, paused.id, paused.version, encode(paused));
    core_.write(std::move(what), [weak = weak_from_this()](record_outcome& outcome) {
        const auto self = weak.lock();
        if (!self) return;
        self->touched_ = true;
        self->pause_writing_ = false;
        self->pause_due_ = self->core_.with.time.monotonic() + commit_pause(1);
        // Somebody else changed it as well: it is paused as it is then.
        if (!outcome.present) return;
        auto read = decode_endpoint(*outcome.present);
        if (read) self->configure(std::move(*read));
    });
    pause_writing_ = true;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
