#ifndef ORDERPROC_ADAPTER_HPP
#define ORDERPROC_ADAPTER_HPP

// For those who write a storage adapter: what is the same in all of them, beside evaluate() and
// claim_selection. Pure functions; safe to call from any thread.

#include <orderproc/repository.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// What write() answers to a change that was refused: with the order that refused it (nullptr:
// there is none), if the principal may see it.
ORDERPROC_EXPORT change_outcome refuse(const change& what, error_code why,
                                       const stored_order* current);

// The same for a change that would take a value which the holder has. REQUIRES: they share an entry
// that is unique.
ORDERPROC_EXPORT change_outcome refuse_taken(const change& what, const evaluation& wanted,
                                             const stored_order& holder);

// Which index entries a change adds and removes: those of one that the other does not have.
// REQUIRES: both ascend.
ORDERPROC_EXPORT std::vector<index_entry> entries_beyond(std::span<const index_entry> of,
                                                         std::span<const index_entry> others);

// Index entries as bytes, for a storage that keeps them beside the order. errc::corrupt: they were
// not written by append_index().
ORDERPROC_EXPORT void append_index(std::span<const index_entry> entries, std::string& out);
ORDERPROC_EXPORT result<std::vector<index_entry>> read_index(std::string_view bytes);

// Takes out of the order of an earlier entry what the change takes out of the order as it is.
// REQUIRES: the change is a redact_order.
ORDERPROC_EXPORT void redact(const change& what, order_content& earlier);

// What to append to the journal for an evaluation that says journaled.
ORDERPROC_EXPORT journal_entry to_entry(const evaluation& what, feed_position position,
                                        write_time at);

// A key or writer with a time after this got it from a clock that was ahead. A write that forgets
// gives it params.now instead, forget_max of them at most, or it would never be forgotten.
ORDERPROC_EXPORT timestamp ahead_of(const write_params& params) noexcept;

// A cursor as a repository keeps it. One that nobody has taken yet stands at offset 0 of the
// storage's epoch and has neither owner nor end.
struct stored_cursor {
    feed_position at;
    std::string owner;
    timestamp expires_at = timestamp::min();
    timestamp moved_at = timestamp::min();  // when it came to stand there
};

// Judges the move and makes it in kept. Unless the outcome has an error, kept is to be stored, or
// the cursor deleted if what.remove.
ORDERPROC_EXPORT cursor_outcome evaluate(stored_cursor& kept, const commit_cursor& what,
                                         timestamp now);

// Judges the change and makes it in kept, nullopt if there is no such record. Unless the outcome
// has an error, kept is to be stored or, if it is nullopt now, the record deleted. version: what
// the record gets, above those that all records had before.
ORDERPROC_EXPORT record_outcome evaluate(std::optional<record>& kept, const change_record& what,
                                         std::uint64_t version);

// How far a purge may go, as the adapter walks from one entry to the next.
class ORDERPROC_EXPORT purge_bounds {
public:
    // epochs: the journal's chain, oldest first; floor and newest: of the feed, as offsets.
    purge_bounds(const purge_orders& what, const write_params& params,
                 std::span<const named_cursor> cursors, std::span<const journal_epoch> epochs,
                 std::uint64_t floor, std::uint64_t newest);

    // May the entry be passed, as the next one after the floor or after the one that was? It was
    // written at that time.
    bool passes(std::uint64_t offset, timestamp at);
    // The cursor that the latest answer was no for; empty: none.
    const std::string& held_by() const noexcept { return held_by_; }

private:
    struct holder {
        std::uint64_t at = 0;
        std::string name;
    };
    timestamp before_;
    timestamp waiting_since_;   // what has waited for longer is not held by an idle cursor
    std::vector<holder> idle_;  // have not moved for hold_max, perhaps for want of entries
    std::uint64_t last_ = 0;    // offset of the last entry that the others let pass
    std::string last_holder_, held_by_;
};

// Does the order go when a purge has passed the entry of this version? current: the order as it is,
// nullptr if it was deleted. latest: the version of the last of its entries.
ORDERPROC_EXPORT bool ends_with(const order* current, order_version version,
                                order_version latest) noexcept;

// Does the list show the order, on one of its pages, as far as its filters say? A list by due time
// also wants it to be due at some time.
ORDERPROC_EXPORT bool matches(const order& it, const list_params& params) noexcept;

// Does the index of the list have the orders of its scope's tenant alone? Then no row has to be
// looked at for that.
ORDERPROC_EXPORT bool finds_tenant(const list_params& params);

// Which rows of a list make a page, or count for its total, as the adapter walks from one to the
// next: those that match, until there are `limit` of them, or until rows_max of the others were
// passed over.
class ORDERPROC_EXPORT list_window {
public:
    // params must outlive it.
    list_window(const list_params& params, std::size_t limit) : params_(params), limit_(limit) {}

    // stop: neither this row nor any after it.
    enum class verdict : std::uint8_t { show, pass, stop };
    verdict judge(const list_position& at, const order& row);

    std::size_t shown() const noexcept { return shown_; }
    // Once it was stopped: where the next page begins. Otherwise the list has ended.
    const std::optional<list_position>& next() const noexcept { return next_; }

private:
    const list_params& params_;
    const std::size_t limit_;
    std::size_t shown_ = 0;
    std::size_t passed_ = 0;
    list_position last_;
    std::optional<list_position> next_;
};

// The least text that comes after all those which begin with prefix; nullopt: there is none.
ORDERPROC_EXPORT std::optional<std::string> end_of_prefix(std::string_view prefix);

// Sets page.reset. REQUIRES: page.oldest and page.newest are set; epochs is the journal's chain,
// oldest first, whose last one is newest's.
ORDERPROC_EXPORT void judge_position(feed_position after, std::span<const journal_epoch> epochs,
                                     feed_page& page) noexcept;

// The epoch in which the entry at this offset was written. REQUIRES: epochs is not empty.
ORDERPROC_EXPORT std::uint64_t epoch_at(std::span<const journal_epoch> epochs,
                                        std::uint64_t offset) noexcept;

// Adds an epoch that begins behind the entry at newest: what rotate_epoch() does to the chain.
// errc::invalid_argument: it is 0 or in the chain already.
ORDERPROC_EXPORT result<void> add_epoch(std::vector<journal_epoch>& epochs, std::uint64_t epoch,
                                        std::uint64_t newest);

}  // namespace v1
}  // namespace orderproc

#endif
