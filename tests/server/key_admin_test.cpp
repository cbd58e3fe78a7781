// Making and ending keys, and what is written down about it.

#include "auth_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

struct admin_fixture : auth_fixture {
    std::vector<audit_entry> trail() { return list_audit(*reads).value(); }
    api_key named(std::string name) {
        api_key out;
        out.name = std::move(name);
        out.scopes = {scope::orders_read};
        return out;
    }
    errc code_of_create(std::string name) {
        const auto made = admin.create(named(std::move(name)), "live");
        BOOST_REQUIRE(!made.has_value());
        return static_cast<errc>(made.error().code.value());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(administration, admin_fixture)

BOOST_AUTO_TEST_CASE(a_key_is_made_and_listed_without_its_secret) {
    const auto made = make("web-shop", {scope::orders_read});
    BOOST_TEST(parse_key(made.text).has_value());
    const auto all = admin.list().value();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].id == made.key.id);
    BOOST_TEST(all[0].created_by == "cli:anna");
    BOOST_TEST((all[0].created_at == clock.now()));
    const record kept = reads->find_record({key_collection, made.key.id}).value().value();
    const std::string secret(parse_key(made.text)->secret);
    BOOST_TEST(kept.value.find(secret) == kept.value.npos);
    for (const audit_entry& it : trail()) BOOST_TEST(it.about.find(secret) == it.about.npos);
}

BOOST_AUTO_TEST_CASE(disabled_keys_count_again_once_they_are_enabled) {
    const auto shop = make("web-shop", {scope::orders_read});
    const auto gone = make("gone", {scope::orders_read});
    BOOST_REQUIRE(admin.revoke(gone.key.id).has_value());
    BOOST_TEST(admin.disable_all().value() == 1U);
    BOOST_TEST(admin.disable_all().value() == 0U);
    const auto of = [&](const std::string& id) {
        for (const api_key& it : admin.list().value()) {
            if (it.id == id) return it;
        }
        return api_key();
    };
    BOOST_TEST(of(shop.key.id).ended(clock.now()));
    BOOST_TEST(of(shop.key.id).disabled_at.has_value());
    BOOST_TEST(!of(gone.key.id).disabled_at.has_value());
    BOOST_TEST(!admin.rotate(shop.key.id, hours(1), "live").has_value());
    refresh();
    BOOST_TEST(table.any());
    BOOST_TEST(!table.usable());
    BOOST_TEST((find(shop.text).fault == key_fault::ended));

    clock.advance(hours(1));
    BOOST_TEST(!admin.enable(gone.key.id).has_value());
    BOOST_REQUIRE(admin.enable(shop.key.id).has_value());
    BOOST_TEST(!of(shop.key.id).ended(clock.now()));
    refresh();
    BOOST_TEST(table.usable());
    BOOST_TEST((find(shop.text).who != nullptr));
    BOOST_TEST(trail().back().action == "key.enable");
}

BOOST_AUTO_TEST_CASE(every_change_is_written_down) {
    const auto made = make("web-shop", {scope::orders_read});
    clock.advance(hours(1));
    const auto second = admin.rotate(made.key.id, hours(2), "live").value();
    clock.advance(hours(1));
    BOOST_REQUIRE(admin.revoke(second.key.id).has_value());
    const auto all = trail();
    BOOST_REQUIRE(all.size() == 3U);
    BOOST_TEST(all[0].action == "key.create");
    BOOST_TEST(all[1].action == "key.rotate");
    BOOST_TEST(all[2].action == "key.revoke");
    for (const audit_entry& it : all) {
        BOOST_TEST(it.actor == "cli:anna");
        BOOST_TEST(it.about.find("web-shop") != it.about.npos);
    }
    BOOST_TEST(all[1].about.find(made.key.id) != std::string::npos);
    BOOST_TEST((all[2].at - all[0].at == hours(2)));
}

BOOST_AUTO_TEST_CASE(audit_records_are_kept_for_400_days) {
    const auto first = make("a", {scope::orders_read});
    clock.advance(audit_kept - milliseconds(1));
    const auto second = make("b", {scope::orders_read});
    BOOST_TEST(trail().size() == 2U);
    clock.advance(milliseconds(1));
    make("c", {scope::orders_read});
    BOOST_TEST(trail().size() == 2U);
    BOOST_TEST(trail()[0].about.find("b ") == 0U);
}

// A name is an identity: idempotency keys and the journal know somebody by it.
BOOST_AUTO_TEST_CASE(a_name_is_given_once) {
    const auto made = make("web-shop", {scope::orders_read});
    BOOST_TEST((code_of_create("web-shop") == errc::invalid_argument));
    BOOST_REQUIRE(admin.revoke(made.key.id).has_value());
    BOOST_TEST((code_of_create("web-shop") == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(what_has_ended_is_forgotten_with_its_audit_record) {
    const auto made = make("web-shop", {scope::orders_read});
    make("other", {scope::orders_read});
    BOOST_REQUIRE(admin.revoke(made.key.id).has_value());
    clock.advance(audit_kept);
    make("third", {scope::orders_read});
    BOOST_TEST(admin.list().value().size() == 2U);
    BOOST_TEST(admin.create(named("web-shop"), "live").has_value());
}

BOOST_AUTO_TEST_CASE(one_key_too_many_is_refused) {
    key_admin few(*writer, with, {"cli:anna", 2});
    const auto first = few.create(named("a"), "live").value();
    BOOST_REQUIRE(few.create(named("b"), "live").has_value());
    const auto refused = few.create(named("c"), "live");
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == errc::overloaded));
    BOOST_TEST(refused.error().detail.find("2 keys") != std::string::npos);
    BOOST_TEST(!few.rotate(first.key.id, hours(1), "live").has_value());
    BOOST_TEST(few.list().value().size() == 2U);
    BOOST_TEST(trail().size() == 2U);
    BOOST_REQUIRE(few.revoke(first.key.id).has_value());
    BOOST_TEST(few.create(named("c"), "live").has_value());
    // What is there beyond the limit still counts.
    refresh();
    BOOST_TEST(table.any());
}

BOOST_AUTO_TEST_CASE(a_rotation_keeps_name_rights_and_life) {
    const auto made = make("web-shop", {scope::orders_read}, [](api_key& it) {
        it.user = "42";
        it.networks = {"10.0.0.0/8"};
        it.expires_at =
            timestamp{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}} + hours(100);
    });
    clock.advance(hours(10));
    const auto second = admin.rotate(made.key.id, hours(24), "live").value();
    BOOST_TEST(second.key.name == "web-shop");
    BOOST_TEST((second.key.user == made.key.user));
    BOOST_TEST((second.key.networks == made.key.networks));
    BOOST_TEST((second.key.scopes == made.key.scopes));
    BOOST_TEST((second.key.expires_at == clock.now() + hours(100)));
    BOOST_TEST(second.key.rotated_from == made.key.id);
    BOOST_TEST(second.text != made.text);
    for (const api_key& it : admin.list().value()) {
        if (it.id == made.key.id) BOOST_TEST((it.expires_at == clock.now() + hours(24)));
    }
    // An overlap does not lengthen a life.
    clock.advance(hours(20));
    const auto third = admin.rotate(made.key.id, hours(24), "live").value();
    for (const api_key& it : admin.list().value()) {
        if (it.id == made.key.id) BOOST_TEST((it.expires_at < clock.now() + hours(24)));
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_rotated_or_revoked) {
    const auto made = make("web-shop", {scope::orders_read});
    for (const std::string& id : {std::string(), std::string("00000000"), std::string(200, 'x')}) {
        BOOST_TEST((admin.revoke(id).error().code == errc::not_found));
        BOOST_TEST((admin.rotate(id, hours(1), "live").error().code == errc::not_found));
    }
    BOOST_REQUIRE(admin.revoke(made.key.id).has_value());
    BOOST_TEST(
        (admin.rotate(made.key.id, hours(1), "live").error().code == errc::invalid_argument));
    const std::size_t before = trail().size();
    BOOST_TEST(admin.revoke(made.key.id).has_value());  // again: nothing happens
    BOOST_TEST(trail().size() == before);
}

BOOST_AUTO_TEST_CASE(keys_that_make_no_sense_are_not_made) {
    api_key past = named("a");
    past.expires_at = clock.now();
    BOOST_TEST(!admin.create(past, "live").has_value());
    BOOST_TEST(!admin.create(named("a"), "LIVE").has_value());
    BOOST_TEST(!admin.create(named("a"), "").has_value());
    BOOST_TEST((code_of_create("A") == errc::invalid_argument));
    BOOST_TEST(admin.list().value().empty());
    BOOST_TEST(trail().empty());
}

BOOST_AUTO_TEST_SUITE_END()
