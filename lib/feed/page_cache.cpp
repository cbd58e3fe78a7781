#include "feed/page_cache.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::chrono::seconds page_age_max(1);

}  // namespace

journal_page::journal_page(feed_position from, std::uint64_t read, clock::instant now,
                           std::vector<journal_entry> entries, const entry_encoder& encode)
    : after(from), number(read), read_at(now), of(std::move(entries), encode) {
    for (const journal_entry& it : of.entries()) decoded_ += size_of(it);
}

std::optional<std::size_t> journal_page::first_behind(const feed_position& at) const noexcept {
    const auto entries = of.entries();
    if (entries.empty()) return std::nullopt;
    if (at == after) return 0;
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), at.offset,
        [](const journal_entry& it, std::uint64_t offset) { return it.position.offset < offset; });
    if (found == entries.end() || found->position != at) return std::nullopt;
    if (std::next(found) == entries.end()) return std::nullopt;
    return static_cast<std::size_t>(found - entries.begin()) + 1;
}

journal_page* page_cache::find(const feed_position& at, std::uint64_t since) noexcept {
    for (auto it = pages_.rbegin(); it != pages_.rend() && it->number >= since; ++it) {
        if (it->first_behind(at)) return &*it;
    }
    return nullptr;
}

void page_cache::add(std::list<journal_page>&& one) noexcept {
    pages_.splice(pages_.end(), one);
}

void page_cache::shrink(clock::instant now) noexcept {
    std::size_t kept = 0;
    auto at = pages_.end();
    while (at != pages_.begin()) {
        const auto before = std::prev(at);
        kept += before->size();
        if (kept > bytes_max_ || now >= before->read_at + page_age_max) break;
        at = before;
    }
    pages_.erase(pages_.begin(), at);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
