#ifndef ORDERPROC_STAGES_FOLLOW_JOURNAL_PAGES_HPP
#define ORDERPROC_STAGES_FOLLOW_JOURNAL_PAGES_HPP

#include <orderproc/reader.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Reads the journal behind a position, one page after the other: after a commit of the engine, and
// every poll_interval for what others committed. Used on the stage's thread.
class journal_pages {
public:
    enum class found : std::uint8_t {
        page,    // perhaps an empty one
        reset,   // the journal does not have what comes after the position: begin at oldest()
        failed,  // tried again later
    };

    // stage: what a failure is reported under, as "relay.read". It must outlive this object.
    journal_pages(reader& journal, runtime with, std::string_view stage,
                  std::chrono::milliseconds poll_interval);

    // What comes after this is read next; the rest of a page is dropped.
    void begin(const feed_position& after) noexcept;
    void news() noexcept { news_ = true; }  // there may be more in the journal

    bool due(clock::instant now) const noexcept { return empty() && now >= due(); }
    clock::instant due() const noexcept { return news_ ? clock::instant::min() : read_due_; }
    // REQUIRES: the page is empty. If this throws, it may be called again.
    found read(std::size_t limit, clock::instant now);

    // What is left of the page.
    bool empty() const noexcept { return next_ == page_.size(); }
    std::span<const journal_entry> rest() const noexcept { return std::span(page_).subspan(next_); }
    const journal_entry& front() const noexcept { return page_[next_]; }
    void pop(std::size_t count = 1) noexcept { next_ += count; }

    // All that the journal had when it was read last is popped.
    bool caught_up() const noexcept { return empty() && !news_; }
    const feed_position& oldest() const noexcept { return oldest_; }  // as read last
    std::uint64_t newest() const noexcept { return newest_; }         // offset; as read last

private:
    reader& journal_;
    runtime with_;
    const std::string_view stage_;
    const std::chrono::milliseconds poll_interval_;

    feed_position read_;  // all up to it is in page_, or was
    std::vector<journal_entry> page_;
    std::size_t next_ = 0;
    bool news_ = true;
    clock::instant read_due_;
    feed_position oldest_;
    std::uint64_t newest_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
