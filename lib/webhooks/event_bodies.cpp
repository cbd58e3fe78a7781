#include "webhooks/event_bodies.hpp"

#include "webhooks/event_body.hpp"

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::size_t bodies_known_max = 512;

bool is_owned_by(const std::weak_ptr<const void>& a,
                 const std::shared_ptr<const void>& b) noexcept {
    return !a.owner_before(b) && !b.owner_before(a);
}

}  // namespace

event_bodies::kind event_bodies::kind_for(const webhook_endpoint& to) noexcept {
    if (to.content == webhook_content::reference) return kind::reference;
    return to.owner.everybody() ? kind::full : kind::confined;
}

event_bodies::body event_bodies::find_or_make(const journal_entry& entry,
                                              const std::shared_ptr<const void>& owner,
                                              const webhook_endpoint& to, std::string_view source,
                                              const order_model& model) {
    const auto place = std::pair(&entry, kind_for(to));
    const auto at = known_.find(place);
    if (at != known_.end() && is_owned_by(at->second.owner, owner)) {
        if (body out = at->second.text.lock()) return out;
    }
    const auto out = std::make_shared<const std::string>(make_event_body(entry, to, source, model));
    if (known_.size() >= bodies_known_max) forget();
    known_.insert_or_assign(place, known{owner, out});
    return out;
}

// If many are still in use, whoever comes next makes its own.
void event_bodies::forget() {
    std::erase_if(known_, [](const auto& it) { return it.second.text.expired(); });
    if (known_.size() > bodies_known_max / 2) known_.clear();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
