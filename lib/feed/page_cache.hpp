#ifndef ORDERPROC_FEED_PAGE_CACHE_HPP
#define ORDERPROC_FEED_PAGE_CACHE_HPP

// What was read last for subscribers that are behind, for others that come to the same place soon.

#include "feed/shared_page.hpp"

#include <orderproc/feed.hpp>
#include <orderproc/runtime.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Entries that follow each other in the journal, and where they begin.
struct journal_page {
    // number: reads ascend by it.
    journal_page(feed_position from, std::uint64_t read, clock::instant now,
                 std::vector<journal_entry> entries, const entry_encoder& encode);

    // The index of the first entry behind the position. None: this page does not say what comes
    // next there. The position has to be the page's own or that of one of its entries: another one
    // with the same offset may be of another journal.
    std::optional<std::size_t> first_behind(const feed_position& at) const noexcept;
    // About how many bytes of memory it takes by now.
    std::size_t size() const noexcept { return decoded_ + of.made(); }

    const feed_position after;
    const std::uint64_t number;
    const clock::instant read_at;
    shared_page of;

private:
    std::size_t decoded_ = 0;
};

// Bounded in bytes and in time: what a redaction takes out of the journal is not told from here for
// longer than that. Not safe to use from several threads at once.
class page_cache {
public:
    explicit page_cache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // The latest page that says what comes behind the position, if it was read since that number.
    journal_page* find(const feed_position& at, std::uint64_t since) noexcept;
    void add(std::list<journal_page>&& one) noexcept;  // a list with one page
    // Drops what is too old, and the oldest pages while all of them take too much.
    void shrink(clock::instant now) noexcept;
    void clear() noexcept { pages_.clear(); }
    bool empty() const noexcept { return pages_.empty(); }

private:
    const std::size_t bytes_max_;
    std::list<journal_page> pages_;  // the latest one is the last
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
