#include "api/api_service.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// Is itself what the engine, the read pool and the item gate complete: a request allocates nothing
// for its way there and back. It waits for one of them at a time, and is destroyed only when it
// waits for none: the connection keeps it until ready() was called.
class api_session final : public http::session,
                          private completion,
                          private load_completion,
                          private read_completion,
                          private item_completion,
                          private record_completion {
public:
    api_session(api& handlers, http::exchange& by) : api_(handlers), by_(by) {}

    bool admit(http::request& in, http::response& out) noexcept override {
        return api_.admit(in, caller_, out);
    }

    http::step begin(const http::request& in, http::response& out) noexcept override {
        api_.begin(in, caller_, todo_, out);
        return todo_ ? go_on(in, out) : http::step::answered;
    }

    http::step resume(const http::request& in, http::response& out) noexcept override {
        switch (awaited_) {
            case source::text:
                return api_.read_batch(*todo_, in, out) ? go_on(in, out) : http::step::answered;
            case source::order:
                return api_.finish_load(*todo_, in, loaded_, out) ? go_on(in, out)
                                                                  : http::step::answered;
            case source::read:
                api_.finish_read(*todo_, in, read_, out);
                todo_->read.reset();  // a list is large, and the connection may be idle for long
                return http::step::answered;
            case source::items:
                return api_.judge_items(*todo_, in, items_ec_, unknown_, out)
                           ? commit(in, out)
                           : http::step::answered;
            case source::commit:
                if (todo_->many && !todo_->many->submitted()) return commit(in, out);
                break;
            case source::note:
                api_.finish_note(in, noted_.ec, out);
                return http::step::answered;
        }
        return api_.finish(*todo_, in, outcome_, out) ? go_on(in, out) : http::step::answered;
    }

    void abandon() noexcept override {
        const bool dropped =
            (awaited_ == source::order &&
             api_.reads().cancel(static_cast<load_completion&>(*this))) ||
            (awaited_ == source::read && api_.reads().cancel(static_cast<read_completion&>(*this)));
        if (dropped) by_.ready();
    }

private:
    // What the next ready() tells of.
    enum class source : std::uint8_t { text, order, read, items, commit, note };

    http::step go_on(const http::request& in, http::response& out) noexcept {
        if (todo_->many && !todo_->many->whole) {  // the next step, after other connections
            awaited_ = source::text;
            by_.ready();
            return http::step::waiting;
        }
        if (todo_->note) return write_note(in, out);
        if (todo_->read) return read_others(in, out);
        if (!todo_->load.empty()) return load_order(in, out);
        if (todo_->asks_items) return ask_for_items(in, out);
        return commit(in, out);
    }

    http::step load_order(const http::request& in, http::response& out) noexcept {
        awaited_ = source::order;
        // Not to be looked at once it is submitted: another thread may be at it.
        const auto how = todo_->use_answers ? http::step::answer_follows : http::step::waiting;
        auto queued = api_.reads().submit(std::move(todo_->load), *this);
        if (queued && api_.reads().loads_when_called()) by_.work_waits();
        if (queued) return how;
        loaded_ = std::move(queued).error();
        return resume(in, out);
    }

    http::step read_others(const http::request& in, http::response& out) noexcept {
        awaited_ = source::read;
        auto queued = api_.reads().submit(*this);
        if (queued) return http::step::waiting;
        read_ = std::move(queued).error();
        return resume(in, out);
    }

    http::step ask_for_items(const http::request& in, http::response& out) noexcept {
        awaited_ = source::items;
        try {
            collect_items(*todo_, skus_);
            if (api_.items()->submit(skus_, *this)) return http::step::waiting;
        } catch (const std::exception&) {  // memory has run out before it was queued
        }
        items_ec_ = errc::overloaded;
        unknown_.clear();
        return resume(in, out);
    }

    http::step write_note(const http::request& in, http::response& out) noexcept {
        awaited_ = source::note;
        noted_ = {};
        noted_.ec = errc::unavailable;
        try {
            auto queued = api_.orders().submit(std::move(*todo_->note), *this);
            if (queued) return http::step::waiting;
            noted_.ec = queued.error().code;
        } catch (const std::exception&) {  // memory has run out before it was queued
        }
        return resume(in, out);
    }

    http::step commit(const http::request& in, http::response& out) noexcept {
        awaited_ = source::commit;
        if (todo_->many) {
            outcome_ = {};  // each has its own: this is still the last request's
            todo_->many->submit(api_.orders(), by_);
            return http::step::waiting;
        }
        outcome_ = {};
        outcome_.ec = errc::unavailable;
        try {
            engine& to = api_.orders();
            auto queued = todo_->made ? to.submit(std::move(*todo_->made), *this)
                                      : to.submit(std::move(todo_->what), *this);
            if (queued) return http::step::waiting;
            outcome_.ec = queued.error().code;
            outcome_.detail = std::move(queued.error().detail);
        } catch (const std::exception&) {  // memory has run out before it was queued
        }
        return resume(in, out);
    }

    // These are called on other threads than the connection's.
    void complete(change_outcome& outcome) noexcept override {
        outcome_ = std::move(outcome);
        by_.ready();
    }
    void complete(result<loaded_order>& outcome) noexcept override {
        loaded_ = std::move(outcome);
        by_.ready();
    }
    result<void> read(repository_reader& from) override { return todo_->read->read(from); }
    void complete(result<void>& outcome) noexcept override {
        read_ = std::move(outcome);
        by_.ready();
    }
    void complete(record_outcome& outcome) noexcept override {
        noted_.ec = outcome.ec;
        by_.ready();
    }
    void complete(error_code ec, std::span<const std::size_t> unknown) noexcept override {
        items_ec_ = ec;
        try {
            unknown_.assign(unknown.begin(), unknown.end());
        } catch (const std::exception&) {  // without memory nobody knows which
            items_ec_ = errc::unavailable;
        }
        by_.ready();
    }

    api& api_;
    http::exchange& by_;
    caller caller_;  // of the request under way
    std::optional<pending> todo_;
    source awaited_ = source::commit;
    change_outcome outcome_;
    result<loaded_order> loaded_{errc::stopped};
    result<void> read_;
    std::vector<std::string> skus_;  // in question
    error_code items_ec_;
    record_outcome noted_;
    std::vector<std::size_t> unknown_;
};

}  // namespace

std::unique_ptr<http::session> api_service::open(http::exchange& by) {
    return std::make_unique<api_session>(api_, by);
}

}  // namespace orderproc::server
