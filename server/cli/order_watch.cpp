// `orderproc order watch`: follows the stream of an order's changes.

#include "cli/order_command.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"
#include "client/event_stream.hpp"
#include "http/message.hpp"

#include <orderproc/runtime.hpp>
#include <orderproc/status_machine.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;
using std::chrono_literals::operator""s;

bool settles(const change_text& it, const status_machine& machine) {
    const auto to = order_status::parse(it.to);
    return it.event == "delete" || (to && machine.is_settled(*to));
}

// Whether the work on the order has come to its end, and to a good one.
bool completes(const change_text& it, const status_machine& machine) {
    const transition* const found = machine.find(it.event);
    if (!found || !machine.is_final(found->to)) return false;
    for (const order_status from : found->from) {
        const work_stage* const stage = machine.stage_active_in(from);
        if (stage && stage->fail != found->event) return true;
    }
    return false;
}

void print_change(const change_text& it) {
    std::printf("%s  %s  %s → %s%s\n", it.at.c_str(), it.event.c_str(), it.from.c_str(),
                it.to.c_str(), it.reason == "-" ? "" : ("  " + it.reason).c_str());
}

// What an order's stream says, over all the connections that it takes.
class followed_order {
public:
    followed_order(const status_machine& machine, bool json) : machine_(machine), json_(json) {}

    // A part of an answer. False: an event is too large.
    bool read(std::string_view part) {
        failures_ = 0;
        return reader_.read(part, [this](const stream_event& it) {
            take(it);
            return true;
        });
    }
    const std::string& last_id() const noexcept { return reader_.last_id(); }
    // The last change that this connection brought leaves nothing to wait for. Until the stream
    // has ended others may follow: a retry of an order that had failed.
    bool settled() const noexcept { return settled_; }
    int exit_code() const { return completes(last_, machine_) ? 0 : 1; }

    // The connection is over: how long to wait before the next.
    milliseconds restart() {
        reader_.restart();
        settled_ = false;
        return reconnection_pause(reader_.retry(), failures_++, system_runtime().random.next());
    }
    bool lost_just_now() const noexcept { return failures_ == 1; }

private:
    void take(const stream_event& it) {
        if (it.type == "reset") {
            fail("the server has another journal now: this is from its beginning");
        }
        if (it.type != "message") return;
        last_ = change_of(it.data);
        settled_ = settles(last_, machine_);
        json_ ? print_json(it.data) : print_change(last_);
        std::fflush(stdout);
    }

    const status_machine& machine_;
    const bool json_;
    event_stream_reader reader_;
    change_text last_;
    bool settled_ = false;
    unsigned failures_ = 0;  // in a row
};

// Media types are compared in any case, and may have parameters (RFC 9110, 8.3.1).
bool is_stream(const fetch_response& got) {
    std::string_view type = got.find("Content-Type");
    type = type.substr(0, type.find_first_of("; \t"));
    return got.status == 200 && http::equal_ignoring_case(type, "text/event-stream");
}

// Another try may bring more, once there was a stream.
bool passes(const result<fetch_response>& got) {
    return order_client::passes(got) || (got && (is_stream(*got) || got->status >= 500));
}

void say_lost(const result<fetch_response>& got) {
    std::string why = "the server ended the stream";
    if (!got) why = got.error().detail;
    if (got && got->status != 200) why = problem_text(got->status, got->body);
    fail(why + "; trying again");
}

}  // namespace

int order_command::watch() {
    const auto at_most = duration_option("--timeout", with_.timeout);
    if (!at_most) return fail(at_most.error());
    const auto until = at_most->count() > 0 ? steady::now() + *at_most : steady::time_point::max();
    if (const auto code = load_model()) return *code;
    followed_order order(model_->statuses, with_.json);
    bool connected = false;  // once, at least
    for (int tried = 1;; ++tried) {
        bool readable = true;
        const auto got = client_.events(with_.order, order.last_id(), until, [&](auto part) {
            connected = true;
            return readable = order.read(part);
        });
        if (!readable) return fail("the server sent an event that is larger than any order");
        if (got && (got->status == 204 || (is_stream(*got) && order.settled()))) {
            return order.exit_code();
        }
        if (steady::now() >= until) return fail("it is not settled after " + with_.timeout);
        if (got && got->status == 200 && !is_stream(*got)) {
            return fail("the server has no stream of the order's changes");
        }
        auto pause = order_client::pause_before_next(got, tried);
        if (connected && passes(got)) {
            pause = order.restart();
            if (got) pause = std::max<milliseconds>(*pause, got->retry_after().value_or(0s));
            if (order.lost_just_now()) say_lost(got);
        }
        if (!pause) return *exit_code_for(got, 200);
        std::this_thread::sleep_until(std::min(until, steady::now() + *pause));
    }
}

}  // namespace orderproc::server
