#ifndef ORDERPROC_ITEMS_HPP
#define ORDERPROC_ITEMS_HPP

// Which items may be ordered is for the shop to say: asked for many orders at once, before they
// are committed.

#include <orderproc/order.hpp>
#include <orderproc/runtime.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// The seam: a catalogue, an inventory, somebody else's service. Called by one thread at a time;
// may block, and may throw.
class ORDERPROC_EXPORT item_checker {
public:
    item_checker() = default;
    virtual ~item_checker() = default;
    item_checker(const item_checker&) = delete;
    item_checker& operator=(const item_checker&) = delete;

    // Appends to unknown the positions in skus of those that may not be ordered. skus ascend by
    // their bytes, each once; item_ids appear in decimal form.
    // Any failure: it cannot be told now, and the orders are refused for the time being.
    virtual result<void> check(std::span<const std::string_view> skus,
                               std::vector<std::size_t>& unknown) = 0;
};

// The SKUs of an order's items, in the order's own order: item_ids in decimal form.
ORDERPROC_EXPORT void append_skus(const order_content& of, std::vector<std::string>& out);

// One question under way. Must stay alive, as must its skus, until complete() was called.
class ORDERPROC_EXPORT item_completion {
public:
    // Called exactly once, with no lock held, on the gate's thread: be quick. unknown are
    // positions in skus, ascending; errc::unavailable if the checker could not tell.
    virtual void complete(error_code ec, std::span<const std::size_t> unknown) noexcept = 0;

protected:
    item_completion() = default;
    virtual ~item_completion() = default;
    item_completion(const item_completion&) = delete;
    item_completion& operator=(const item_completion&) = delete;

private:
    friend class item_gate;
    item_completion* next_ = nullptr;
    std::span<const std::string> skus_;
};

// Asks the checker once for whatever is waiting, as the engine commits. Safe to use from any
// thread; has one of its own.
class ORDERPROC_EXPORT item_gate {
public:
    // The checker outlives the gate. Beyond queue_max questions waiting: errc::overloaded.
    item_gate(item_checker& asks, runtime with, std::size_t queue_max = 8192);
    ~item_gate();  // answers what was submitted first

    // Refused, it returns the error and never calls done.
    result<void> submit(std::span<const std::string> skus, item_completion& done);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
