// Keys of an issuer that come from elsewhere: how often is asked, and what counts meanwhile.

#include "auth/jwk_source.hpp"

#include "jwt_fixture.hpp"

#include <orderproc/observer.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using key_type = signing_key::type;

namespace {

// An issuer's server that a test answers for.
struct provider {
    std::unique_ptr<jwk_source> make(std::string location = "https://id.example/keys") {
        jwk_source_options options;
        options.thread = false;
        options.read = [this](const text_request& what, const std::stop_token&) {
            asked.push_back(what);
            return answer;
        };
        options.told = [this](const failure* why) { told.push_back(why ? why->detail : "taken"); };
        return std::make_unique<jwk_source>(std::move(location), std::move(options),
                                            runtime{clock, random, nobody});
    }
    // Looks if it is time to.
    std::size_t looks(jwk_source& it) {
        const std::size_t before = asked.size();
        if (it.due() <= clock.monotonic()) (void)it.look();
        return asked.size() - before;
    }

    const std::string first = jwks({named(signing_key::of(key_type::es256), "a")});
    const std::string second = jwks({named(signing_key::of(key_type::es256), "a"),
                                     named(signing_key::of(key_type::eddsa), "b")});
    const std::string third = jwks({named(signing_key::of(key_type::eddsa), "b")});
    orderproc::testing::manual_clock clock;
    orderproc::testing::seeded_random random;
    observer nobody;
    result<std::string> answer{first};
    std::vector<text_request> asked;
    std::vector<std::string> told;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keys_from_elsewhere, provider)

BOOST_AUTO_TEST_CASE(keys_are_asked_for_every_ten_minutes) {
    const auto keys = make();
    BOOST_TEST(!keys->current());
    BOOST_TEST(looks(*keys) == 1U);
    BOOST_REQUIRE(asked.size() == 1U);
    BOOST_TEST(asked[0].location == "https://id.example/keys");
    BOOST_TEST(asked[0].size_max == 256U * 1024);
    BOOST_TEST((asked[0].timeout == seconds(5)));
    BOOST_REQUIRE(keys->current());
    clock.advance(minutes(10) - milliseconds(1));
    BOOST_TEST(looks(*keys) == 0U);
    clock.advance(milliseconds(1));
    BOOST_TEST(looks(*keys) == 1U);
    BOOST_TEST(told.size() == 1U);  // nothing has changed
}

BOOST_AUTO_TEST_CASE(keys_that_stay_are_the_same_and_others_end) {
    const auto keys = make();
    BOOST_REQUIRE(keys->look().has_value());
    const jwk_set_ptr before = keys->current();
    answer = " " + first;  // the same keys in another text
    BOOST_REQUIRE(keys->look().has_value());
    BOOST_TEST((keys->current() == before));
    answer = second;
    BOOST_REQUIRE(keys->look().has_value());
    const jwk_set_ptr both = keys->current();
    BOOST_TEST(both->version != before->version);
    BOOST_TEST((both->keys.at(0) == before->keys.at(0)));
    BOOST_TEST(!before->keys[0]->retired());
    answer = third;
    BOOST_REQUIRE(keys->look().has_value());
    BOOST_TEST(before->keys[0]->retired());
    BOOST_TEST((keys->current()->keys.at(0) == both->keys.at(1)));
    BOOST_TEST(!both->keys[1]->retired());
    BOOST_TEST(told == (std::vector<std::string>{"taken", "taken", "taken"}),
               boost::test_tools::per_element());
}

// Row 22 of the attacks.
BOOST_AUTO_TEST_CASE(the_last_good_set_goes_on_for_a_day) {
    const auto keys = make();
    BOOST_REQUIRE(keys->look().has_value());
    const jwk_set_ptr good = keys->current();
    std::vector<std::string> bad{"", "<html>", jwks({R"("kty":"oct","k":"AA")"}),
                                 jwks(std::vector<std::string>(10'000, R"("kty":"oct")")),
                                 std::string(300 * 1024, ' ')};
    for (const std::string& it : bad) {
        answer = it;
        BOOST_TEST(!keys->look().has_value());
        BOOST_TEST((keys->current() == good));
    }
    answer = failure{errc::unavailable, "no route"};
    BOOST_TEST(!keys->look().has_value());
    BOOST_TEST((keys->current() == good));
    BOOST_TEST(told.size() == 2U);  // that it failed is said once
    clock.advance(hours(24));
    BOOST_TEST(!keys->look().has_value());
    BOOST_TEST((keys->current() == good));
    clock.advance(milliseconds(1));
    BOOST_TEST(!keys->current());
    answer = first;
    BOOST_REQUIRE(keys->look().has_value());
    BOOST_TEST((keys->current() == good));
    BOOST_REQUIRE(told.size() == 3U);
    BOOST_TEST(told[2] == "taken");
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_ends_nothing) {
    const auto keys = make();
    BOOST_REQUIRE(keys->look().has_value());
    clock.step(hours(48));
    BOOST_TEST(keys->current());
    BOOST_TEST(looks(*keys) == 0U);
}

BOOST_AUTO_TEST_CASE(what_fails_is_tried_again_after_half_a_minute) {
    answer = failure{errc::unavailable, "no route"};
    const auto keys = make();
    BOOST_TEST(looks(*keys) == 1U);
    BOOST_TEST(!keys->current());
    clock.advance(seconds(30) - milliseconds(1));
    BOOST_TEST(looks(*keys) == 0U);
    clock.advance(milliseconds(1));
    answer = first;
    BOOST_TEST(looks(*keys) == 1U);
    BOOST_TEST(keys->current());
    clock.advance(seconds(30));
    BOOST_TEST(looks(*keys) == 0U);
}

// Row 23 of the attacks.
BOOST_AUTO_TEST_CASE(a_missed_key_is_asked_for_once_in_half_a_minute) {
    const auto keys = make();
    BOOST_TEST(looks(*keys) == 1U);
    for (int i = 0; i < 1000; ++i) BOOST_TEST(!keys->ask_again());
    BOOST_TEST(looks(*keys) == 0U);
    clock.advance(seconds(30));
    std::size_t looked = 0;
    for (int i = 0; i < 1000; ++i) {
        if (keys->ask_again()) looked += looks(*keys);
        clock.advance(milliseconds(29));
    }
    BOOST_TEST(looked == 1U);
    clock.advance(seconds(1));
    BOOST_TEST(keys->ask_again());
    BOOST_TEST(keys->ask_again());  // there is one to come
    BOOST_TEST(looks(*keys) == 1U);
    BOOST_TEST(!keys->ask_again());
}

BOOST_AUTO_TEST_CASE(a_reader_that_throws_is_one_that_fails) {
    jwk_source_options options;
    options.thread = false;
    options.read = [](const text_request&, const std::stop_token&) -> result<std::string> {
        throw std::bad_alloc();
    };
    jwk_source keys("https://id.example/keys", std::move(options), runtime{clock, random, nobody});
    BOOST_TEST(!keys.start().has_value());
    BOOST_TEST(!keys.current());
}

BOOST_AUTO_TEST_CASE(a_file_is_read_again_when_it_changes) {
    const auto path =
        std::filesystem::temp_directory_path() / ("orderproc-jwks-" + std::to_string(::getpid()));
    const auto write = [&](const std::string& text) {
        std::ofstream(path, std::ios::trunc) << text;
    };
    write(first);
    jwk_source_options options;
    options.thread = false;
    options.read = [](const text_request& what, const std::stop_token&) { return read_file(what); };
    jwk_source keys("file:" + path.string(), std::move(options), runtime{clock, random, nobody});
    BOOST_REQUIRE(keys.start().has_value());
    BOOST_TEST(keys.current()->keys.size() == 1U);
    BOOST_TEST(!keys.ask_again());  // it is looked at every two seconds anyway
    BOOST_TEST((keys.due() == clock.monotonic() + seconds(2)));
    write(second);
    BOOST_REQUIRE(keys.look().has_value());
    BOOST_TEST(keys.current()->keys.size() == 2U);
    write(second.substr(0, second.size() / 2));  // half written
    const auto cut = keys.look();
    BOOST_REQUIRE(!cut.has_value());
    BOOST_TEST(cut.error().detail.find(path.string()) != std::string::npos);
    BOOST_TEST(keys.current()->keys.size() == 2U);
    write(std::string(300 * 1024, ' '));
    BOOST_TEST(!keys.look().has_value());
    std::filesystem::remove(path);
    const auto gone = keys.look();
    BOOST_REQUIRE(!gone.has_value());
    BOOST_TEST(gone.error().detail.find("No such file") != std::string::npos);
    BOOST_TEST(keys.current()->keys.size() == 2U);
}

// The thread: it looks when it is asked to, and ends also while it reads.
BOOST_AUTO_TEST_CASE(the_thread_looks_when_a_key_is_missed) {
    std::mutex mutex;
    std::condition_variable_any changed;
    int looks_seen = 0;
    int looks_done = 0;
    bool hang = false;
    jwk_source_options options;
    options.read = [&](const text_request&, const std::stop_token& stop) -> result<std::string> {
        std::unique_lock lock(mutex);
        ++looks_seen;
        changed.notify_all();
        if (hang) changed.wait(lock, stop, [] { return false; });
        return looks_seen == 1 ? first : second;
    };
    options.told = [&](const failure*) {
        const std::lock_guard lock(mutex);
        ++looks_done;
        changed.notify_all();
    };
    jwk_source keys("https://id.example/keys", std::move(options), runtime{clock, random, nobody});
    BOOST_REQUIRE(keys.start().has_value());
    clock.advance(seconds(30));
    BOOST_TEST(keys.ask_again());
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return looks_done == 2; });
        BOOST_TEST(looks_seen == 2);
        BOOST_TEST(keys.current()->keys.size() == 2U);
        hang = true;
    }
    clock.advance(seconds(30));
    BOOST_TEST(keys.ask_again());
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return looks_seen == 3; });
}

BOOST_AUTO_TEST_SUITE_END()
