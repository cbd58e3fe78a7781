#ifndef ORDERPROC_WEBHOOKS_EVENT_BODIES_HPP
#define ORDERPROC_WEBHOOKS_EVENT_BODIES_HPP

#include <orderproc/journal.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/webhook_endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

// The bodies of events that several endpoints are told of: each kind is made once while somebody
// has it. Keeps nothing but names alive. To be used on one thread.
class event_bodies {
public:
    using body = std::shared_ptr<const std::string>;

    // As make_event_body(). owner: what the entry belongs to, as the feed gave it: an entry that
    // was read again may have been redacted meanwhile, and has another owner.
    body find_or_make(const journal_entry& entry, const std::shared_ptr<const void>& owner,
                      const webhook_endpoint& to, std::string_view source,
                      const order_model& model);

private:
    // All endpoints of a kind get equal bytes.
    enum class kind : std::uint8_t { reference, full, confined };
    struct known {
        std::weak_ptr<const void> owner;
        std::weak_ptr<const std::string> text;
    };
    static kind kind_for(const webhook_endpoint& to) noexcept;
    void forget();

    std::map<std::pair<const journal_entry*, kind>, known> known_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
