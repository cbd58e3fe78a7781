#include "live/event_page.hpp"

#include <orderproc/cloud_event.hpp>

namespace orderproc::server {

namespace {

constexpr std::size_t event_size_hint = 768;

void append_event(const journal_entry& it, std::string_view source, std::string& out) {
    out.append("id: ").append(to_string(it.position)).append("\ndata: ");
    append_cloud_event(it, out, source);
    out.append("\n\n");
}

http::piece own(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const std::string_view bytes = *owner;
    return {std::move(owner), bytes};
}

}  // namespace

http::piece first_event(const feed_position* from) {
    std::string text = "retry: 3000\n";
    if (from) text.append("id: ").append(to_string(*from)).append(1, '\n');
    return own(text.append(1, '\n'));
}

http::piece reset_event(const feed_position& to) {
    const std::string at = to_string(to);
    return own("event: reset\nid: " + at + "\ndata: {\"position\":\"" + at + "\"}\n\n");
}

http::piece event_page::from(std::size_t first) {
    if (!text_) {
        std::string text;
        text.reserve(entries_.size() * event_size_hint);
        begins_.reserve(entries_.size());
        for (const journal_entry& it : entries_) {
            begins_.push_back(text.size());
            append_event(it, source_, text);
        }
        text_ = std::make_shared<const std::string>(std::move(text));
    }
    return {text_, std::string_view(*text_).substr(begins_.at(first))};
}

http::piece event_page::one(std::size_t which) {
    ones_.resize(entries_.size());
    auto& found = ones_.at(which);
    if (!found) {
        std::string text;
        text.reserve(event_size_hint);
        append_event(entries_[which], source_, text);
        found = std::make_shared<const std::string>(std::move(text));
    }
    return {found, *found};
}

}  // namespace orderproc::server
