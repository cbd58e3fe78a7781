// Who asks: what is done in their name, and what they may see of what they ask for.

#include "api/caller.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace orderproc;
using namespace orderproc::server;

namespace {

caller bound_to(std::optional<std::string> user, std::optional<std::string> tenant,
                std::string name = "key:a") {
    return {std::make_shared<auth::principal>(std::move(name), auth::scopes_of_bound,
                                              std::move(user), std::move(tenant))};
}

http::request post() {
    http::request out;
    out.method = "POST";
    return out;
}

command said_by(const caller& by, std::string_view key) {
    command out;
    speak_for(by, post(), "create_order", {}, key, "{}", out);
    return out;
}

const std::optional<std::string> any;

}  // namespace

BOOST_AUTO_TEST_CASE(nobody_may_do_nothing) {
    const caller by;
    BOOST_TEST(by.name().empty());
    BOOST_TEST(by.who->scopes().empty());
}

BOOST_AUTO_TEST_CASE(a_command_becomes_the_callers) {
    const command what = said_by(bound_to("42", any, "key:till-3"), "first");
    BOOST_TEST(what.actor == "key:till-3");
    BOOST_TEST((what.scope == order_scope{"42", any}));
    BOOST_TEST(what.idempotency_key.has_value());
    BOOST_TEST(!said_by(bound_to("42", any), {}).idempotency_key.has_value());
}

BOOST_AUTO_TEST_CASE(what_a_bound_caller_leaves_out_is_its_own) {
    command what;
    what.what = submit_order{};
    speak_for(bound_to("42", any), post(), "create_order", {}, {}, "{}", what);
    BOOST_TEST(std::get<submit_order>(what.what).value.user == "42");
    speak_for(bound_to(any, "north"), post(), "create_order", {}, {}, "{}", what);
    BOOST_TEST(std::get<submit_order>(what.what).value.tenant == "north");
    BOOST_TEST(std::get<submit_order>(what.what).value.user == "42");  // what is there stays
}

BOOST_AUTO_TEST_CASE(keys_of_one_principal_are_not_those_of_another) {
    const auto key_of = [](const char* name) {
        return said_by(bound_to("1", any, name), "same").idempotency_key->key;
    };
    BOOST_TEST((key_of("key:a") == key_of("key:a")));
    BOOST_TEST((key_of("key:a") != key_of("key:b")));
    BOOST_TEST((key_of("key:a") != said_by({auth::anonymous()}, "same").idempotency_key->key));
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_narrowed_to_what_may_be_seen) {
    const auto narrowed = [](order_scope may, order_scope asked) {
        const bool some = narrow(bound_to(std::move(may.user), std::move(may.tenant)), asked);
        return some ? std::optional(asked) : std::nullopt;
    };
    BOOST_TEST((narrowed({}, {}) == order_scope{}));
    BOOST_TEST((narrowed({}, {"1", "n"}) == order_scope{"1", "n"}));
    BOOST_TEST((narrowed({"1", any}, {}) == order_scope{"1", any}));
    BOOST_TEST((narrowed({"1", any}, {any, "n"}) == order_scope{"1", "n"}));
    BOOST_TEST((narrowed({"1", "n"}, {"1", "n"}) == order_scope{"1", "n"}));
    BOOST_TEST(!narrowed({"1", any}, {"2", any}).has_value());
    BOOST_TEST(!narrowed({any, "n"}, {any, "s"}).has_value());
    BOOST_TEST(!narrowed({"", any}, {"2", any}).has_value());  // a guest is a user, too
}

BOOST_AUTO_TEST_CASE(a_bound_caller_sees_its_own_orders) {
    order mine;
    mine.user = "42";
    mine.tenant = "north";
    BOOST_TEST(bound_to("42", any).sees(mine));
    BOOST_TEST(bound_to(any, "north").sees(mine));
    BOOST_TEST(!bound_to("7", any).sees(mine));
    BOOST_TEST(!bound_to(any, "south").sees(mine));
    BOOST_TEST(!bound_to("42", "south").sees(mine));
    BOOST_TEST(caller{auth::anonymous()}.sees(mine));
}

BOOST_AUTO_TEST_CASE(what_is_concealed) {
    journal_entry it;
    it.actor = "key:till-3";
    it.reason = "the printer burns";
    it.event = "fail";
    it.after.last_error = "the printer burns";
    conceal(it);
    BOOST_TEST(it.actor.empty());
    BOOST_TEST(it.reason.empty());
    BOOST_TEST(it.after.last_error.empty());
    BOOST_TEST(it.event == "fail");
}
