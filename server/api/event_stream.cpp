#include "api/event_stream.hpp"

#include "api/caller.hpp"

#include <orderproc/cloud_event.hpp>

#include <utility>

namespace orderproc::server {

namespace {

http::piece own(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const std::string_view bytes = *owner;
    return {std::move(owner), bytes};
}

// How long to wait before another try, and where that one is to continue.
http::piece first_event(const std::optional<feed_position>& from) {
    std::string text = "retry: 3000\n";
    if (from) text.append("id: ").append(to_string(*from)).append(1, '\n');
    return own(text.append(1, '\n'));
}

http::piece reset_event(const feed_position& to) {
    const std::string at = to_string(to);
    return own("event: reset\nid: " + at + "\ndata: {\"position\":\"" + at + "\"}\n\n");
}

void append_event(const journal_entry& it, std::string_view source, const order_model& model,
                  std::string& to) {
    to.append("id: ").append(to_string(it.position)).append("\ndata: ");
    append_cloud_event(it, to, source, model);
    to.append("\n\n");
}

}  // namespace

live_feed_options event_feed(std::string source, const order_model& model) {
    live_feed_options out;
    out.encode = [source = std::move(source), &model](const journal_entry& it, std::string& to) {
        append_event(it, source, model, to);
    };
    return out;
}

live_feed_options bound_event_feed(std::string source, const order_model& model) {
    live_feed_options out;
    out.encode = [source = std::move(source), &model](const journal_entry& it, std::string& to) {
        journal_entry shown = it;
        conceal(shown);
        append_event(shown, source, model, to);
    };
    return out;
}

event_stream::event_stream(live_feed& feed, feed_request what, std::optional<feed_position> from,
                           auth::principal_ptr who)
    : feed_(feed), who_(std::move(who)), what_(std::move(what)), first_(first_event(from)) {}

void event_stream::start(http::stream_exchange& by) {
    by_ = &by;
    subscription_ = feed_.subscribe(std::move(what_), *this).value();
}

event_stream::state event_stream::take(std::vector<http::piece>& out, std::size_t most,
                                       std::size_t most_pieces) {
    if (!first_.bytes.empty()) {
        out.push_back(std::exchange(first_, {}));
        --most_pieces;
    }
    std::vector<feed_part> parts;
    const feed_state now = subscription_->take(parts, most, most_pieces);
    for (feed_part& it : parts) {
        if (it.is == feed_part::kind::reset) {
            out.push_back(reset_event(it.position));
        } else {
            out.push_back({std::move(it.owner), it.text});
        }
    }
    switch (now) {
        case feed_state::open:
            return state::open;
        case feed_state::ended:
            return state::ended;
        case feed_state::dropped:
            return state::failed;
    }
    return state::failed;
}

void event_stream::ready() noexcept {
    by_->wake();
}

}  // namespace orderproc::server
