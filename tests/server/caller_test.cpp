// Who asks: what is done in their name, and what they may see of what they ask for.

#include "api/caller.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

using namespace orderproc;
using namespace orderproc::server;

namespace {

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

}  // namespace

BOOST_AUTO_TEST_CASE(nobody_is_known_and_everybody_may_see_everything) {
    const caller by = identify(post());
    BOOST_TEST(by.principal.empty());
    BOOST_TEST(by.actor.empty());
    BOOST_TEST(by.scope.everybody());
}

BOOST_AUTO_TEST_CASE(a_command_becomes_the_callers) {
    const caller by{"key-7", "till 3", {"42", "north"}};
    const command what = said_by(by, "first");
    BOOST_TEST(what.actor == "till 3");
    BOOST_TEST((what.scope == order_scope{"42", "north"}));
    BOOST_TEST(what.idempotency_key.has_value());
    BOOST_TEST(!said_by(by, {}).idempotency_key.has_value());
}

BOOST_AUTO_TEST_CASE(keys_of_one_principal_are_not_those_of_another) {
    const auto key_of = [](const caller& by) { return said_by(by, "same").idempotency_key->key; };
    BOOST_TEST((key_of({"a"}) == key_of({"a"})));
    BOOST_TEST((key_of({"a"}) != key_of({"b"})));
    BOOST_TEST((key_of({"a"}) != key_of({})));
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_narrowed_to_what_may_be_seen) {
    const auto narrowed = [](order_scope may, order_scope asked) {
        const bool some = narrow({"", "", std::move(may)}, asked);
        return some ? std::optional(asked) : std::nullopt;
    };
    const std::optional<std::string> any;
    BOOST_TEST((narrowed({}, {}) == order_scope{}));
    BOOST_TEST((narrowed({}, {"1", "n"}) == order_scope{"1", "n"}));
    BOOST_TEST((narrowed({"1", any}, {}) == order_scope{"1", any}));
    BOOST_TEST((narrowed({"1", any}, {any, "n"}) == order_scope{"1", "n"}));
    BOOST_TEST((narrowed({"1", "n"}, {"1", "n"}) == order_scope{"1", "n"}));
    BOOST_TEST(!narrowed({"1", any}, {"2", any}).has_value());
    BOOST_TEST(!narrowed({any, "n"}, {any, "s"}).has_value());
    BOOST_TEST(!narrowed({"", any}, {"2", any}).has_value());  // a guest is a user, too
}
