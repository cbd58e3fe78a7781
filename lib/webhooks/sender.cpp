#include "core/caught.hpp"
#include "stages/common/retry_delay.hpp"
#include "stages/common/stage_life.hpp"
#include "webhooks/lane.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

// How long a thread waits for the last moves of the cursors after the end of its drain.
constexpr std::chrono::seconds sender_stop_timeout(5);
constexpr std::chrono::seconds measure_every(1);
constexpr std::chrono::minutes tidy_every(1);
constexpr std::size_t expired_max = 500;  // attempts, removed at a time
constexpr std::size_t owner_size_max = 64;

// Ends itself.
class unheeded final : public cursor_completion {
public:
    void complete(const cursor_outcome&) noexcept override { delete this; }
};

}  // namespace

class webhook_sender::impl {
public:
    impl(engine& orders, reader& journal, webhook_client& client, webhook_sender_options options)
        : core_(orders, journal, client, std::move(options)) {}
    ~impl() {
        if (core_.options.threads > 0) stop(milliseconds(0));
        lanes_.clear();
        core_.mailbox->notifier.close();
    }

    result<void> start() {
        const auto prepare = [this] { return check(); };
        const auto started = life_.start(prepare, core_.options.threads > 0, [this] { run(); });
        if (!started) return started.error();
        if (*started) core_.mailbox->refresh();
        return {};
    }
    void stop(milliseconds drain) {
        const auto wait = std::clamp(drain, milliseconds(0), detail::delay_max);
        core_.mailbox->stop_at(core_.with.time.monotonic() + wait);
        life_.join();
    }
    void look_again() noexcept { core_.mailbox->refresh(); }
    clock::instant due() const noexcept { return core_.mailbox->notifier.due(report_.next_due); }

    webhook_report cycle() noexcept {
        core_.mailbox->notifier.begin();
        bool failed = true;
        try {
            step();
            failed = false;
        } catch (const std::exception& thrown) {
            core_.with.observer.error("webhooks", detail::caught(errc::unavailable, thrown.what()));
        }
        const auto now = core_.with.time.monotonic();
        report_ = {};
        for (const auto& [id, it] : lanes_) {
            report_.endpoints += it->leading() ? 1 : 0;
            report_.parked += it->parked();
        }
        report_.under_way = core_.in_flight();
        report_.delivered = std::exchange(core_.delivered, 0);
        report_.failed = std::exchange(core_.failed, 0);
        report_.stopped = stop_at_ && over();
        const bool notified = core_.mailbox->notifier.end();
        report_.next_due = failed ? now + detail::commit_pause(1) : notified ? now : next_due(now);
        return report_;
    }

private:
    result<void> check() const {
        const webhook_sender_options& it = core_.options;
        const char* wrong = nullptr;
        if (!is_event_source(it.source)) wrong = "source: a URI-reference, such as /shop";
        if (it.owner.size() > owner_size_max) wrong = "owner: at most 64 characters";
        if (it.move_every < milliseconds(0) || it.move_every > it.lease / 3) {
            wrong = "move_every: from 0 to a third of the lease";
        }
        if (it.lease < milliseconds(100) || it.lease > detail::delay_max) {
            wrong = "lease: 100 ms to a year";
        }
        if (it.refresh_every <= milliseconds(0)) wrong = "refresh_every: more than 0";
        if (it.timeout <= milliseconds(0) || it.timeout > detail::delay_max) {
            wrong = "timeout: 1 ms to a year";
        }
        if (it.per_endpoint < 1) wrong = "per_endpoint: at least 1";
        if (it.in_all < 1) wrong = "in_all: at least 1";
        if (it.retries.empty()) wrong = "retries: at least one";
        for (const milliseconds one : it.retries) {
            if (one < milliseconds(0) || one > detail::delay_max) wrong = "retries: up to a year";
        }
        if (it.parked_max < 1) wrong = "parked_max: at least 1";
        if (it.threads > 1) wrong = "threads: 0 or 1";
        if (wrong) return failure{errc::invalid_argument, wrong};
        return core_.journal.use([](repository_reader& from) -> result<void> {
            const auto any = from.list_records({detail::webhook_collection, {}, {}, 1});
            if (!any) return any.error();
            return {};
        });
    }

    void run() noexcept {
        while (true) {
            const webhook_report done = cycle();
            if (done.stopped) break;
            const auto now = core_.with.time.monotonic();
            if (stop_at_ && now >= *stop_at_ + sender_stop_timeout) break;
            if (done.next_due > now) core_.mailbox->notifier.wait_for(done.next_due - now);
        }
    }

    void step() {
        detail::sender_mail mail = core_.mailbox->take();
        if (mail.stop_at) stop_at_ = mail.stop_at;
        if (mail.refresh) refresh_due_ = clock::instant::min();
        core_.take_in(std::move(mail));
        auto now = core_.with.time.monotonic();
        core_.expire(now);
        if (!stop_at_ && now >= refresh_due_) refresh(now);
        const bool drained = stop_at_ && now >= *stop_at_;
        if (!stop_at_ && now >= core_.feed.next_due()) (void)core_.feed.run_once();
        now = core_.with.time.monotonic();  // a slow storage may have cost a lease
        core_.ticking = now >= core_.tick_due;
        if (core_.ticking) core_.tick_due = now + core_.options.move_every;
        // Not the same one first each time: they share the slots.
        const std::size_t from = lanes_.empty() ? 0 : turn_++ % lanes_.size();
        auto at = std::next(lanes_.begin(), static_cast<std::ptrdiff_t>(from));
        std::exception_ptr thrown;  // by one of them, which is no matter of the others
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            if (at == lanes_.end()) at = lanes_.begin();
            try {
                (at++)->second->step(now, stop_at_.has_value(), drained);
            } catch (...) {
                thrown = std::current_exception();
            }
        }
        if (now >= measure_due_) {
            measure_due_ = now + measure_every;
            for (const auto& [id, it] : lanes_) it->measure(now);
        }
        if (!stop_at_ && now >= tidy_due_) tidy(now);
        if (thrown) std::rethrow_exception(thrown);
    }

    void refresh(clock::instant now) {
        refresh_due_ = now + core_.options.refresh_every;
        std::vector<record> endpoints;
        std::map<std::string, std::vector<record>, std::less<>> tasks;
        const auto read = core_.journal.use([&](repository_reader& from) -> result<void> {
            endpoints.clear();
            tasks.clear();
            auto done =
                detail::for_records(from, detail::webhook_collection, {}, [&](const record& it) {
                    endpoints.push_back(it);
                    return true;
                });
            if (!done) return done;
            return detail::for_records(from, detail::tasks_collection, {}, [&](const record& it) {
                tasks[it.key.substr(0, it.key.find('/'))].push_back(it);
                return true;
            });
        });
        if (!read) return core_.with.observer.error("webhooks.read", read.error());
        for (auto it = lanes_.begin(); it != lanes_.end();) {
            const bool there = std::any_of(endpoints.begin(), endpoints.end(),
                                           [&](const record& one) { return one.key == it->first; });
            it = there ? std::next(it) : lanes_.erase(it);
        }
        for (const record& one : endpoints) adopt(one, tasks[one.key]);
    }

    // One that cannot be read is sent nothing; that is reported once.
    void adopt(const record& from, const std::vector<record>& tasks) {
        const auto at = lanes_.find(from.key);
        const bool same = at != lanes_.end() && at->second->endpoint().version == from.version;
        if (!same) {
            auto read = detail::decode_endpoint(from);
            if (!read) {
                if (unreadable_.insert_or_assign(from.key, from.version).second) {
                    core_.with.observer.error("webhooks.read", read.error());
                }
                if (at != lanes_.end()) lanes_.erase(at);
                return;
            }
            if (at == lanes_.end()) {
                lanes_.emplace(from.key, std::make_shared<detail::lane>(core_, std::move(*read)));
            } else {
                at->second->configure(std::move(*read));
            }
        }
        lanes_.at(from.key)->set_tasks(tasks);
    }

    // Attempts that have been kept for long enough, and what is left of endpoints.
    void tidy(clock::instant now) {
        tidy_due_ = now + tidy_every;
        remove_left_cursors();
        remove_left_records();
        const bool leads = std::any_of(lanes_.begin(), lanes_.end(),
                                       [](const auto& it) { return it.second->leading(); });
        if (!leads) return;
        const auto old = core_.journal.use([&](repository_reader& from) {
            return from.list_due_records(
                {detail::attempts_collection, core_.with.time.now(), {}, expired_max});
        });
        if (!old) return core_.with.observer.error("webhooks.read", old.error());
        for (const record& it : old->records) {
            core_.write(removal_of(detail::attempts_collection, it.key, it.version), {});
        }
        if (old->more) tidy_due_ = now + detail::commit_pause(1);
    }

    // Whoever asked for the cursor of an endpoint while that was being removed has made it anew,
    // and it would hold back purges. An endpoint is stored before its cursor, and its id never
    // comes again. One that somebody holds is removed the next time.
    void remove_left_cursors() {
        std::vector<std::string> left;
        const auto read = core_.journal.use([&](repository_reader& from) -> result<void> {
            left.clear();
            const auto all = from.list_cursors();
            if (!all) return all.error();
            for (const named_cursor& it : *all) {
                const auto id = detail::endpoint_of_cursor(it.name);
                if (!id) continue;
                const auto endpoint =
                    from.find_record({detail::webhook_collection, std::string(*id)});
                if (!endpoint) return endpoint.error();
                if (!*endpoint) left.push_back(it.name);
            }
            return {};
        });
        if (!read && read.error().code != errc::not_supported) {
            return core_.with.observer.error("webhooks.read", read.error());
        }
        for (std::string& it : left) {
            commit_cursor what;
            what.name = std::move(it);
            what.owner = "removed-" + detail::random_letters(12);
            what.expires_at = core_.with.time.now();
            what.remove = true;
            auto done = std::make_unique<unheeded>();
            if (core_.orders.submit(std::move(what), *done)) (void)done.release();
        }
    }

    // What was asked of an endpoint, or failed, while that was being removed. Its id never comes
    // again.
    void remove_left_records() {
        std::vector<change_record> left;
        const auto read = core_.journal.use([&](repository_reader& from) -> result<void> {
            left.clear();
            for (const std::string_view of : detail::collections_of_endpoints) {
                auto done = find_left_records(from, of, left);
                if (!done) return done;
            }
            return {};
        });
        if (!read) return core_.with.observer.error("webhooks.read", read.error());
        for (change_record& it : left) core_.write(std::move(it), {});
    }

    // Looks at the first record of each endpoint: one that is there is passed over whole.
    static result<void> find_left_records(repository_reader& from, std::string_view of,
                                          std::vector<change_record>& left) {
        std::string after;
        while (left.size() < expired_max) {
            const auto page = from.list_records({of, {}, after, 1});
            if (!page) return page.error();
            if (page->records.empty()) return {};
            const record& first = page->records.front();
            const std::string id = first.key.substr(0, first.key.find('/'));
            const auto endpoint = from.find_record({detail::webhook_collection, id});
            if (!endpoint) return endpoint.error();
            if (*endpoint) {
                after = id + "0";  // which comes right after all that begins with "id/"
                continue;
            }
            after = first.key;
            left.push_back(removal_of(of, first.key, first.version));
        }
        return {};
    }

    bool over() const noexcept {
        return std::all_of(lanes_.begin(), lanes_.end(),
                           [](const auto& it) { return it.second->over(); });
    }

    clock::instant next_due(clock::instant now) const {
        if (stop_at_ && over()) return clock::instant::max();
        auto out = core_.flights_due();
        if (!stop_at_) {
            out = std::min({out, refresh_due_, core_.feed.next_due(), tidy_due_});
        } else if (now < *stop_at_) {
            out = std::min(out, *stop_at_);
        }
        for (const auto& [id, it] : lanes_) out = std::min(out, it->due());
        if (!lanes_.empty() && !stop_at_) out = std::min(out, measure_due_);
        return out;
    }

    detail::sender_core core_;
    std::map<std::string, std::shared_ptr<detail::lane>, std::less<>> lanes_;
    std::map<std::string, std::uint64_t> unreadable_;
    std::size_t turn_ = 0;
    clock::instant refresh_due_, measure_due_, tidy_due_;
    std::optional<clock::instant> stop_at_;
    webhook_report report_;
    detail::stage_life life_;
};

webhook_sender::webhook_sender(engine& orders, reader& journal, webhook_client& client,
                               webhook_sender_options options)
    : impl_(std::make_unique<impl>(orders, journal, client, std::move(options))) {}

webhook_sender::~webhook_sender() = default;

webhook_report webhook_sender::run_once() {
    return impl_->cycle();
}

clock::instant webhook_sender::next_due() const noexcept {
    return impl_->due();
}

result<void> webhook_sender::start() {
    return impl_->start();
}

void webhook_sender::look_again() noexcept {
    impl_->look_again();
}

void webhook_sender::stop(std::chrono::milliseconds drain) {
    impl_->stop(drain);
}

}  // namespace v1
}  // namespace orderproc
