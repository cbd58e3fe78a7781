#ifndef ORDERPROC_FEED_SHARED_PAGE_HPP
#define ORDERPROC_FEED_SHARED_PAGE_HPP

// One read of the journal as parts for subscribers: what a part needs is made when the first of
// them gets it, and shared by all others.

#include <orderproc/feed.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

using entry_encoder = std::function<void(const journal_entry&, std::string&)>;

// About how many bytes of memory an entry takes.
std::size_t size_of(const journal_entry& it) noexcept;

class shared_page {
public:
    // encode: see live_feed_options; it must outlive the page.
    shared_page(std::vector<journal_entry> entries, const entry_encoder& encode);

    std::span<const journal_entry> entries() const noexcept { return *entries_; }
    // The entries from the first on. REQUIRES: first < entries().size().
    feed_part from(std::size_t first);
    // One entry, which keeps no others in memory.
    feed_part one(std::size_t which);
    // About how many bytes of memory the parts take that were made so far, without the entries.
    std::size_t made() const noexcept { return made_; }

private:
    const std::shared_ptr<const std::vector<journal_entry>> entries_;
    const entry_encoder& encode_;
    std::shared_ptr<const std::string> text_;  // of all of them, if that was asked for
    std::vector<std::size_t> begins_;          // of each, in the text or among the sizes
    std::vector<feed_part> ones_;
    std::size_t made_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
