#ifndef ORDERPROC_STAGES_ENGINE_PRESENT_MODEL_HPP
#define ORDERPROC_STAGES_ENGINE_PRESENT_MODEL_HPP

// The order model that an engine writes under, and how it is replaced by a newer one that somebody
// has stored.

#include <orderproc/change.hpp>
#include <orderproc/model_record.hpp>
#include <orderproc/repository.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace orderproc {
inline namespace v1 {
namespace detail {

// A model, and the version of the record that it was made of (0: there is no record).
struct model_generation {
    const order_model* model = nullptr;
    std::uint64_t version = 0;
};

// Safe to use from any thread. No generation goes before this does.
class present_model {
public:
    // Both references outlive this.
    present_model(const order_model& first, const storage& orders,
                  std::optional<model_record> stored);

    bool is_stored() const noexcept { return stored_.has_value(); }
    const model_generation& get() const noexcept {
        return *present_.load(std::memory_order_acquire);
    }
    // What a write under this generation depends on.
    std::optional<record_guard> guard_of(const model_generation& it) const noexcept;

    // Puts a change that was made under an earlier generation under this one.
    void adapt(change& what, const model_generation& to) const;

    // Loads what is stored now. errc::unavailable: it cannot be read, or it is no successor.
    result<void> reload(repository_reader& from);

private:
    result<void> load(const record& from);

    const std::optional<model_record> stored_;
    const storage& storage_;
    mutable std::mutex mutex_;
    std::deque<order_model> loaded_;  // neither ever moves what it has
    std::deque<model_generation> generations_;
    std::atomic<const model_generation*> present_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
