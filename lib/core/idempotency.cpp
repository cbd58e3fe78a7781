#include "core/sha256.hpp"

#include <orderproc/idempotency.hpp>

#include <algorithm>
#include <string>

namespace orderproc {
inline namespace v1 {

digest digest_of(std::string_view text) noexcept {
    const auto whole = detail::sha256(text);
    digest out;
    std::copy_n(whole.begin(), out.size(), out.begin());
    return out;
}

idempotency make_idempotency(const idempotency_scope& scope, std::string_view key,
                             std::string_view body) {
    std::string text;
    text.reserve(scope.principal.size() + scope.method.size() + scope.route.size() +
                 scope.order.size() + key.size() + 5);
    for (const std::string_view part :
         {scope.principal, scope.method, scope.route, scope.order, key}) {
        text.append(part).append(1, '\0');
    }
    return {digest_of(text), digest_of(body)};
}

}  // namespace v1
}  // namespace orderproc
