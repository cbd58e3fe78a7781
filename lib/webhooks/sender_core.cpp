#include "webhooks/sender_core.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

// What a client gets beyond the time-out before nobody waits for it any more.
constexpr std::chrono::seconds client_grace(5);

live_feed_options feed_options(const webhook_sender_options& of, sender_mailbox& wakes) {
    live_feed_options out;
    out.threads = 0;
    out.buffer_max = std::size_t{256} * 1024;  // of one endpoint; beyond it, it reads by itself
    out.step_size = 128;
    out.poll_interval = of.poll_interval;
    out.on_ready = [&wakes] { wakes.notifier.notify(); };
    return out;
}

}  // namespace

void record_write::complete(record_outcome& done) noexcept {
    outcome = std::move(done);
    to->wrote(std::move(self));
}

sender_core::sender_core(engine& of, reader& from, webhook_client& client,
                         webhook_sender_options how)
    : orders(of),
      journal(from),
      options(std::move(how)),
      with(of.runtime()),
      mailbox(std::make_shared<sender_mailbox>(options.threads == 0 ? options.on_ready : nullptr)),
      feed(of, from, feed_options(options, *mailbox)),
      client_(client) {}

sender_core::~sender_core() {
    for (auto& [id, it] : flights_) it->stop.request_stop();
}

bool sender_core::has_slot(bool probing) const noexcept {
    if (flights_.size() >= options.in_all) return false;
    return !probing || probing_ < std::max<std::size_t>(1, options.in_all / 2);
}

std::uint64_t sender_core::send(webhook_request what, bool probing,
                                std::function<void(webhook_response&)> then) {
    const auto it = std::make_shared<flight>();
    it->id = ++last_flight_;
    it->probing = probing;
    it->deadline = with.time.monotonic() + what.timeout + client_grace;
    it->then = std::move(then);
    flights_.emplace(it->id, it);
    probing_ += probing ? 1 : 0;
    const auto answer = [to = mailbox, it](webhook_response got) {
        if (it->answered.exchange(true)) return;
        it->answer = std::move(got);
        to->answered(it);
    };
    try {
        client_.deliver(std::move(what), it->stop.get_token(), answer);
    } catch (const std::exception& thrown) {
        webhook_response none;
        none.error = thrown.what();
        answer(std::move(none));
    }
    return it->id;
}

void sender_core::land(flight& it, webhook_response& answer) {
    const auto then = std::move(it.then);
    probing_ -= it.probing ? 1 : 0;
    flights_.erase(it.id);
    then(answer);
}

void sender_core::cancel(std::uint64_t id) noexcept {
    const auto at = flights_.find(id);
    if (at == flights_.end()) return;
    const auto it = at->second;
    probing_ -= it->probing ? 1 : 0;
    flights_.erase(at);
    it->stop.request_stop();
}

void sender_core::expire(clock::instant now) {
    while (!flights_.empty() && now >= flights_.begin()->second->deadline) {
        const auto it = flights_.begin()->second;
        it->stop.request_stop();
        webhook_response none;
        none.error = "no answer in time";
        land(*it, none);
    }
}

clock::instant sender_core::flights_due() const noexcept {
    return flights_.empty() ? clock::instant::max() : flights_.begin()->second->deadline;
}

void sender_core::write(change_record what, std::function<void(record_outcome&)> then) {
    const auto it = std::make_shared<record_write>();
    it->to = mailbox;
    it->then = std::move(then);
    it->self = it;
    result<void> sent = errc::unavailable;
    try {
        sent = orders.submit(std::move(what), *it);
    } catch (...) {
        it->self.reset();
        throw;
    }
    if (sent) return;
    it->self.reset();
    if (sent.error().code == errc::stopped) engine_stopped = true;
    it->outcome.ec = sent.error().code;
    mailbox->wrote(it);
}

// What one of them throws loses the others: none may be left out.
void sender_core::take_in(sender_mail mail) {
    std::exception_ptr thrown;
    const auto guarded = [&](const auto& act) {
        try {
            act();
        } catch (...) {
            thrown = std::current_exception();
        }
    };
    while (mail.written) {
        const auto it = std::exchange(mail.written, std::move(mail.written->next));
        if (it->then) guarded([&] { it->then(it->outcome); });
    }
    while (mail.answers) {
        const auto it = std::exchange(mail.answers, std::move(mail.answers->next));
        if (flights_.contains(it->id)) guarded([&] { land(*it, it->answer); });
    }
    if (thrown) std::rethrow_exception(thrown);
}

void sender_core::report(const char* where, errc code, std::string text) const {
    with.observer.error(where, {code, std::move(text)});
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
