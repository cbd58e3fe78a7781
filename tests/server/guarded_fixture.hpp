#ifndef ORDERPROC_TESTS_SERVER_GUARDED_FIXTURE_HPP
#define ORDERPROC_TESTS_SERVER_GUARDED_FIXTURE_HPP

// The handlers behind keys.

#include "api_fixture.hpp"
#include "auth_fixture.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

struct guarded : api_fixture {
    guarded() : guarded(order_model::standard(), documentation::standard()) {}
    guarded(const order_model& of, const documentation& as) : api_fixture(of, as) {
        served = &guarded_service;
        keys.refresh();
    }

    // A key, and with it what follows is asked.
    std::string add(std::string name, auth::scope_set scopes,
                    void (*change)(auth::api_key&) = nullptr) {
        auto made = keys.make(std::move(name), scopes, change);
        keys.refresh();
        return made.text;
    }
    answer with(const std::string& key, std::string_view method, std::string_view target,
                std::string_view body = {}, std::vector<http::field> more = {}) {
        const std::string value = "Bearer " + key;
        std::vector<http::field> fields = std::move(more);
        if (!key.empty()) fields.push_back({"Authorization", value});
        if (!body.empty()) fields.push_back({"Content-Type", "application/json"});
        return ask(method, target, body, std::move(fields));
    }
    answer create_with(const std::string& key, std::string_view id, int user,
                       std::vector<http::field> more = {}) {
        return with(key, "POST", "/orders",
                    R"({"order_id":")" + std::string(id) + R"(","user_id":)" +
                        std::to_string(user) + R"(,"item_ids":[1],"total_amount":1.5})",
                    std::move(more));
    }

    auth_fixture keys;
    auth::authenticator judge{&keys.table, {}, 7};
    attempt_tokens tokens{std::string(43, 's')};
    bool healthy = true;
    api guarded_handlers{orders, reads, [this] {
                             api_parts out;
                             out.auth = &judge;
                             out.attempts = &tokens;
                             out.facts_shared_for = {};  // each request reads what there is
                             out.unhealthy = [this] {
                                 std::vector<health_reason> why;
                                 if (healthy) return why;
                                 why.push_back({health_codes::storage_unreadable, "secret path"});
                                 return why;
                             };
                             return out;
                         }()};
    api_service guarded_service{guarded_handlers};
};

inline void bind_to_42(auth::api_key& it) {
    it.user = "42";
}

}  // namespace orderproc::server::testing

#endif
