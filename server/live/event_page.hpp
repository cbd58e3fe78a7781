#ifndef ORDERPROC_SERVER_LIVE_EVENT_PAGE_HPP
#define ORDERPROC_SERVER_LIVE_EVENT_PAGE_HPP

// Journal entries as server-sent events (html.spec.whatwg.org, 9.2): each is made into text at
// most once, however many listen.

#include "http/body_source.hpp"

#include <orderproc/repository.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// What a stream starts with: how long to wait before another try, and, if the position is
// given, where that one is to go on from should nothing come before.
http::piece first_event(const feed_position* from);
// "event: reset", with the position to go on from.
http::piece reset_event(const feed_position& to);

class event_page {
public:
    // source: see append_cloud_event(). It must outlive the page.
    event_page(std::vector<journal_entry> entries, std::string_view source)
        : entries_(std::move(entries)), source_(source) {}

    std::span<const journal_entry> entries() const noexcept { return entries_; }
    // The events from the first on. REQUIRES: first < entries().size().
    http::piece from(std::size_t first);
    // One event alone: it keeps no others in memory.
    http::piece one(std::size_t which);

private:
    const std::vector<journal_entry> entries_;
    const std::string_view source_;
    std::shared_ptr<const std::string> text_;  // of all, when asked for
    std::vector<std::size_t> begins_;
    std::vector<std::shared_ptr<const std::string>> ones_;
};

}  // namespace orderproc::server

#endif
