#ifndef ORDERPROC_TESTS_UNIT_WEBHOOK_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_WEBHOOK_FIXTURE_HPP

// Endpoints, senders and a receiver that does as it is told, in one thread on a manual clock.

#include "relay_fixture.hpp"

#include <orderproc/feed.hpp>
#include <orderproc/webhooks.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shop_test {

using namespace std::chrono_literals;

inline constexpr std::string_view test_key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

// What came, and what is answered: by `answer`, or later by finish() if that has nothing to say.
class post_office final : public webhook_client {
public:
    struct letter {
        webhook_request what;
        timestamp at;
        std::stop_token stop;
        std::function<void(webhook_response)> done;

        std::string field(std::string_view name) const {
            for (const auto& [key, value] : what.fields) {
                if (key == name) return value;
            }
            return {};
        }
        // "ORD-1 create 1"
        std::string text() const {
            const auto part = [&](std::string_view name) {
                const std::size_t found = what.body.find(name);
                if (found == std::string::npos) return std::string("?");
                const std::size_t from = found + name.size();
                return what.body.substr(from, what.body.find_first_of(",\"}", from) - from);
            };
            return part(R"("order_id":")") + " " + part(R"("event":")") + " " +
                   part(R"("version":)");
        }
    };

    explicit post_office(orderproc::clock& time) : time_(time) {}

    void deliver(webhook_request what, std::stop_token stop,
                 std::function<void(webhook_response)> done) override {
        letter it{std::move(what), time_.now(), std::move(stop), std::move(done)};
        came.push_back(it);
        most = std::max(most, ++now);
        auto said = answer ? answer(came.back()) : webhook_response{200};
        if (said) {
            --now;
            it.done(std::move(*said));
        } else {
            held.push_back(std::move(it));
        }
    }
    void finish(webhook_response with) {
        const auto all = std::exchange(held, {});
        now -= all.size();
        for (const letter& it : all) it.done(with);
    }
    std::vector<std::string> texts_of(std::string_view endpoint = {}) const {
        std::vector<std::string> out;
        for (const letter& it : came) {
            if (endpoint.empty() || it.what.endpoint == endpoint) out.push_back(it.text());
        }
        return out;
    }

    std::function<std::optional<webhook_response>(const letter&)> answer;
    std::vector<letter> came;
    std::vector<letter> held;
    std::size_t now = 0, most = 0;  // under way

private:
    orderproc::clock& time_;
};

inline const milliseconds feed_rest = live_feed_options().rest;

struct webhook_room : station {
    webhook_room() : keys(webhook_keys::parse(test_key).value()) {}

    webhook_sender_options quiet(std::string owner = "a") {
        webhook_sender_options out;
        out.keys = keys;
        out.owner = std::move(owner);
        out.threads = 0;
        return out;
    }
    // For steps of minutes and hours: its leases last.
    webhook_sender_options patient(std::string owner = "a") {
        webhook_sender_options out = quiet(std::move(owner));
        out.lease = 24h;
        return out;
    }
    std::unique_ptr<webhook_sender> sender(webhook_sender_options options) {
        auto out = std::make_unique<webhook_sender>(front, reads, post, std::move(options));
        BOOST_REQUIRE(out->start());
        return out;
    }
    std::unique_ptr<webhook_sender> sender(std::string owner = "a") {
        return sender(quiet(std::move(owner)));
    }
    // What a plan says is written.
    webhook_change apply(result<webhook_change> planned) {
        BOOST_REQUIRE(planned.has_value());
        std::optional<result<void>> done;
        write_records(front, planned->records, [&](result<void> it) { done = std::move(it); });
        for (int i = 0; i < 100 && !done; ++i) (void)front.run_once();
        BOOST_REQUIRE(done.has_value());
        BOOST_REQUIRE(done->has_value());
        for (webhook_sender* it : running) it->look_again();
        return std::move(*planned);
    }
    template <class Plan>
    auto plan(Plan make) {
        return reads.use([&](repository_reader& from) { return make(from); });
    }
    webhook_change endpoint(webhook_draft draft = {"https://example.test/a"},
                            std::optional<timestamp> since = {}, order_scope owner = {}) {
        return apply(plan([&](repository_reader& from) {
            return create_webhook(
                from, {std::move(draft), since, std::move(owner), "test", time.now()}, keys);
        }));
    }
    webhook_endpoint find(const std::string& id) {
        return plan([&](repository_reader& from) { return find_webhook(from, id); }).value();
    }
    std::vector<webhook_attempt> attempts(const std::string& id, bool failed_only = false) {
        return plan([&](repository_reader& from) {
                   list_webhook_attempts_params params;
                   params.endpoint = id;
                   params.failed_only = failed_only;
                   params.limit = 100'000;
                   return list_webhook_attempts(from, params);
               })
            .value()
            .attempts;
    }
    std::vector<std::string> records(std::string_view collection) {
        return plan([&](repository_reader& from) -> result<std::vector<std::string>> {
                   auto page = from.list_records({collection, {}, {}, 10'000});
                   if (!page) return page.error();
                   std::vector<std::string> out;
                   for (const record& it : page->records) out.push_back(it.key);
                   return out;
               })
            .value();
    }
    std::uint64_t stands(const std::string& id) {
        return plan([&](repository_reader& from) { return from.find_cursor("webhook." + id); })
            .value()
            .value_or(feed_position{})
            .offset;
    }

    // Until nobody has anything to do, now or as soon as the feed has rested.
    webhook_report settle(std::initializer_list<webhook_sender*> all) {
        running = all;
        webhook_report sum;
        for (int i = 0; i < 100'000; ++i) {
            const auto written = front.run_once();
            bool busy = !written || *written > 0;
            for (webhook_sender* it : all) {
                if (it->next_due() > time.monotonic()) continue;
                const auto one = it->run_once();
                const auto delivered = sum.delivered + one.delivered;
                const auto failed = sum.failed + one.failed;
                sum = one;
                sum.delivered = delivered;
                sum.failed = failed;
                busy = busy || one.next_due <= time.monotonic();
            }
            if (busy || front.queued() > 0) continue;
            auto next = orderproc::clock::instant::max();
            for (webhook_sender* it : all) next = std::min(next, it->next_due());
            if (next > time.monotonic() + feed_rest) return sum;
            time.advance(std::chrono::ceil<milliseconds>(next - time.monotonic()));
        }
        BOOST_FAIL("it never comes to rest");
        return sum;
    }
    webhook_report pass(milliseconds total, std::initializer_list<webhook_sender*> all,
                        milliseconds step = 1s) {
        webhook_report last;
        for (milliseconds done{0}; done < total; done += step) {
            time.advance(std::min(step, total - done));
            last = settle(all);
        }
        return last;
    }
    std::size_t reported(std::string_view where) {
        return static_cast<std::size_t>(
            std::count(watch.errors.begin(), watch.errors.end(), where));
    }

    webhook_keys keys;
    reader reads{*orders};
    post_office post{time};
    std::vector<webhook_sender*> running;
};

inline std::function<std::optional<webhook_response>(const post_office::letter&)> always(
    webhook_response what) {
    return [what = std::move(what)](const post_office::letter&) { return what; };
}

}  // namespace shop_test

#endif
