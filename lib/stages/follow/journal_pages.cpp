#include "stages/follow/journal_pages.hpp"

#include "stages/common/retry_delay.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

journal_pages::journal_pages(reader& journal, runtime with, std::string_view stage,
                             std::chrono::milliseconds poll_interval)
    : journal_(journal), with_(with), stage_(stage), poll_interval_(poll_interval) {}

void journal_pages::begin(const feed_position& after) noexcept {
    page_.clear();
    next_ = 0;
    read_ = after;
    news_ = true;
}

journal_pages::found journal_pages::read(std::size_t limit, clock::instant now) {
    auto page = journal_.use([&](repository_reader& from) {
        return from.read_feed({read_, limit});
    });
    if (!page) {
        with_.observer.error(std::string(stage_) + ".read", page.error());
        news_ = false;
        read_due_ = now + commit_pause(1);
        return found::failed;
    }
    read_due_ = now + poll_interval_;
    newest_ = page->newest.offset;
    oldest_ = page->oldest;
    if (page->reset && read_.offset == 0) {
        begin(page->oldest);  // who asks for the beginning gets what is kept
        return found::page;
    }
    if (page->reset) {
        with_.observer.error(
            std::string(stage_) + ".reset",
            {errc::not_found,
             "the journal does not have what comes after entry " + std::to_string(read_.offset) +
                 " of epoch " + std::to_string(read_.epoch) + ": following it from its beginning"});
        return found::reset;
    }
    page_ = std::move(page->entries);
    next_ = 0;
    news_ = page_.size() == limit;
    if (!page_.empty()) read_ = page_.back().position;
    return found::page;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
