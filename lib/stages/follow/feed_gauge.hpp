#ifndef ORDERPROC_STAGES_FOLLOW_FEED_GAUGE_HPP
#define ORDERPROC_STAGES_FOLLOW_FEED_GAUGE_HPP

#include <orderproc/reader.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// What a stage that follows the journal knows of where it stands.
struct feed_standing {
    bool leading = false;
    bool caught_up = false;           // nothing is left to do or to read, as far as it knows
    feed_position done;               // all up to it is done; of one that leads
    std::uint64_t floor = 0;          // offset behind which the journal begins; the same
    std::uint64_t newest = 0;         // offset of the journal's last entry; of one that leads
    std::optional<timestamp> oldest;  // time of the first entry that is not done…
    bool knows_oldest = false;        // …which is known, also if there is none
};

// Tells the observer how far a stage is behind the journal and what it waits for: every second, and
// when it has caught up. Used on the stage's thread.
class feed_gauge {
public:
    // The name must outlive this object.
    feed_gauge(reader& journal, runtime with, std::string_view cursor);

    // What the stage waits for now, and whether it has done anything since the last call.
    void note(feed_wait what, bool advanced, clock::instant now) noexcept;
    void measure(const feed_standing& it, clock::instant now);
    void restart() noexcept { caught_up_ = false; }  // the stage no longer leads

    clock::instant due() const noexcept { return due_; }
    std::chrono::milliseconds waited(clock::instant now) const noexcept {
        return now - progress_at_;
    }

private:
    std::optional<timestamp> find_oldest(const feed_standing& it, std::uint64_t& behind);

    reader& journal_;
    runtime with_;
    const std::string_view cursor_;

    feed_wait waits_for_ = feed_wait::nothing;
    bool waits_ = false;
    clock::instant progress_at_;  // the cursor advanced, or had no reason to
    clock::instant due_;
    bool caught_up_ = false;  // as told last
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
