#include "stages/engine/engine_queue.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <string_view>
#include <thread>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

std::string_view text_of(const digest& key) noexcept {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

engine_list& engine_batch::list_of(engine_node::kind is) noexcept {
    switch (is) {
        case engine_node::kind::claim:
            return claims;
        case engine_node::kind::cursor:
            return cursors;
        case engine_node::kind::record:
            return records;
        case engine_node::kind::purge:
            return purges;
        case engine_node::kind::command:
        case engine_node::kind::change:
            break;
    }
    return changes;
}

void engine_list::push_back(engine_node& node) noexcept {
    node.next = nullptr;
    (tail_ ? tail_->next : head_) = &node;
    tail_ = &node;
    ++size_;
}

engine_node* engine_list::pop_front() noexcept {
    engine_node* const node = head_;
    if (!node) return nullptr;
    head_ = node->next;
    if (!head_) tail_ = nullptr;
    --size_;
    return node;
}

void engine_list::prepend(engine_list&& others) noexcept {
    if (others.empty()) return;
    others.tail_->next = head_;
    if (!tail_) tail_ = others.tail_;
    head_ = others.head_;
    size_ += others.size_;
    others = {};
}

hash_set::hash_set(std::size_t expected) : slots_(std::bit_ceil(2 * (expected + 1))) {}

bool hash_set::contains(std::uint64_t hash) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
        if (slots_[at] == hash) return true;
    }
    return false;
}

bool hash_set::insert(std::uint64_t hash) noexcept {
    if (2 * (size_ + 1) > slots_.size() && !grow()) return false;
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at] != 0 && slots_[at] != hash) at = (at + 1) & mask;
    if (slots_[at] == 0) ++size_;
    slots_[at] = hash;
    return true;
}

void hash_set::clear() noexcept {
    if (size_ > 0) std::fill(slots_.begin(), slots_.end(), 0);
    size_ = 0;
}

bool hash_set::grow() noexcept try {
    std::vector<std::uint64_t> old(2 * slots_.size());
    old.swap(slots_);
    size_ = 0;
    for (const std::uint64_t hash : old) {
        if (hash != 0) insert(hash);
    }
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

engine_queue::engine_queue(std::size_t queue_max, std::size_t batch_max, std::size_t takers,
                           random_source& random)
    : queue_max_(queue_max),
      batch_max_(batch_max),
      hash_(random),
      taken_(takers, hash_set(2 * batch_max)),
      passed_(64) {}

// Never 0.
std::uint64_t engine_queue::hash_of(std::string_view text) const noexcept {
    const std::uint64_t hash = hash_(text);
    return hash != 0 ? hash : 1;
}

// Whatever the tenant: that two of different tenants wait for each other is rare, and an edit does
// not know it.
void engine_queue::hash_values(const change& what, std::vector<std::uint64_t>& out) const {
    const std::vector<order_attribute>* added = nullptr;
    currency_code currency;
    if (const auto* create = std::get_if<create_order>(&what.action)) {
        added = &create->value.attributes;
        currency = create->value.total_amount.currency;
    } else if (const auto* edit = std::get_if<edit_order>(&what.action)) {
        added = &edit->content.attributes;
        currency = edit->content.total_amount.currency;
    } else if (const auto* annotate = std::get_if<annotate_order>(&what.action)) {
        added = &annotate->attributes;
    }
    if (!added) return;
    for (const order_attribute& it : *added) {
        const attribute_rule* const rule = what.model->find(it.name);
        if (!rule || rule->unique == attribute_unique::no) continue;
        const std::string slot(1, static_cast<char>(rule->slot));
        out.push_back(hash_of(slot + order_model::index_value(*rule, it.value, currency)));
    }
}

completion& engine_queue::change_of(engine_node& node) noexcept {
    return static_cast<completion&>(node);
}

claim_completion& engine_queue::claim_of(engine_node& node) noexcept {
    return static_cast<claim_completion&>(node);
}

cursor_completion& engine_queue::cursor_of(engine_node& node) noexcept {
    return static_cast<cursor_completion&>(node);
}

record_completion& engine_queue::record_of(engine_node& node) noexcept {
    return static_cast<record_completion&>(node);
}

purge_completion& engine_queue::purge_of(engine_node& node) noexcept {
    return static_cast<purge_completion&>(node);
}

result<void> engine_queue::push(completion& done, change&& what) {
    done.what_ = std::move(what);
    return push(done, engine_node::kind::change);
}

result<void> engine_queue::push(completion& done, engine_node::kind is) {
    const change& what = done.what_;
    engine_node& node = done;
    node.is = is;
    node.order_hash = hash_of(what.order);
    node.key_hash = what.idempotency_key ? hash_of(text_of(what.idempotency_key->key)) : 0;
    node.value_hashes.clear();
    if (what.model && what.model->has_unique()) hash_values(what, node.value_hashes);
    return link(node);
}

result<void> engine_queue::push(claim_completion& done, claim&& what) {
    engine_node& node = done;
    node.is = engine_node::kind::claim;
    done.what_ = std::move(what);
    return link(node);
}

result<void> engine_queue::push(cursor_completion& done, commit_cursor&& what) {
    engine_node& node = done;
    node.is = engine_node::kind::cursor;
    node.key_hash = hash_of(what.name);
    done.what_ = std::move(what);
    return link(node);
}

result<void> engine_queue::push(record_completion& done, change_record&& what) {
    engine_node& node = done;
    node.is = engine_node::kind::record;
    node.key_hash = hash_of(what.key);  // one of another collection waits as well: that is rare
    done.what_ = std::move(what);
    return link(node);
}

result<void> engine_queue::push(purge_completion& done, purge_orders&& what) {
    engine_node& node = done;
    node.is = engine_node::kind::purge;
    node.key_hash = hash_of("purge");
    done.what_ = what;
    return link(node);
}

result<void> engine_queue::link(engine_node& node) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) return errc::stopped;
        if (node.is == engine_node::kind::command) {
            if (commands_ >= queue_max_) return errc::overloaded;
            ++commands_;
        }
        waiting_.push_back(node);
        size_.store(waiting_.size(), std::memory_order_relaxed);
        wake = claim_sleeper();
    }
    if (wake) ready_.notify_one();
    return {};
}

// Whether to notify: once per taker that sleeps, however many submit before it runs.
bool engine_queue::claim_sleeper() noexcept {
    if (sleeping_ <= woken_) return false;
    ++woken_;
    return true;
}

bool engine_queue::blocked(std::uint64_t hash) const noexcept {
    if (hash == 0) return false;
    for (const hash_set& taken : taken_) {
        if (taken.contains(hash)) return true;
    }
    return passed_.contains(hash);
}

bool engine_queue::blocked(const engine_node& node) const noexcept {
    if (blocked(node.order_hash) || blocked(node.key_hash)) return true;
    return std::any_of(node.value_hashes.begin(), node.value_hashes.end(),
                       [this](std::uint64_t hash) { return blocked(hash); });
}

bool engine_queue::select(std::size_t taker, engine_batch& out) noexcept {
    hash_set& mine = taken_[taker];
    mine.clear();
    passed_.clear();
    engine_list left;
    while (engine_node* const node = waiting_.front()) {
        engine_list& to = out.list_of(node->is);
        if (to.size() >= batch_max_) break;
        // A purge goes alone: if it fails, or takes long, then no order does with it.
        const bool alone = node->is == engine_node::kind::purge;
        if (alone ? !out.empty() : out.purges.size() > 0) break;
        const bool stays = blocked(*node);
        // What comes later on any of them must not overtake this one.
        hash_set& noted = stays ? passed_ : mine;
        if (node->order_hash != 0 && !noted.insert(node->order_hash)) break;
        if (node->key_hash != 0 && !noted.insert(node->key_hash)) break;
        const auto note = [&](std::uint64_t hash) { return noted.insert(hash); };
        if (!std::all_of(node->value_hashes.begin(), node->value_hashes.end(), note)) break;
        waiting_.pop_front();
        if (!stays && node->is == engine_node::kind::command) --commands_;
        (stays ? left : to).push_back(*node);
    }
    waiting_.prepend(std::move(left));
    size_.store(waiting_.size(), std::memory_order_relaxed);
    return !out.empty();
}

bool engine_queue::take(std::size_t taker, engine_batch& out) noexcept {
    const std::lock_guard lock(mutex_);
    return select(taker, out);
}

engine_queue::waited engine_queue::wait_and_take(std::size_t taker, engine_batch& out,
                                                 std::optional<std::chrono::milliseconds> at_most) {
    std::chrono::steady_clock::time_point until;
    if (at_most) until = std::chrono::steady_clock::now() + *at_most;
    bool wake = false;
    {
        std::unique_lock lock(mutex_);
        while (!select(taker, out)) {
            if (stopped_ && waiting_.empty()) {
                ready_.notify_all();  // to those who slept because of what this taker had
                return waited::drained;
            }
            if (at_most && std::chrono::steady_clock::now() >= until) return waited::timed_out;
            ++sleeping_;
            if (at_most) {
                ready_.wait_until(lock, until);
            } else {
                ready_.wait(lock);
            }
            --sleeping_;
            if (woken_ > 0) --woken_;
        }
        wake = !waiting_.empty() && claim_sleeper();
    }
    if (wake) ready_.notify_one();
    return waited::taken;
}

void engine_queue::stop() noexcept {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    ready_.notify_all();
    stopping_.notify_all();
}

void engine_queue::pause(std::chrono::milliseconds time, std::chrono::milliseconds least) {
    std::unique_lock lock(mutex_);
    if (!stopping_.wait_for(lock, time, [this] { return stopped_; })) return;
    lock.unlock();
    std::this_thread::sleep_for(least);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
