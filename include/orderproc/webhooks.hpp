#ifndef ORDERPROC_WEBHOOKS_HPP
#define ORDERPROC_WEBHOOKS_HPP

// Tells endpoints of others what happens to orders, as Standard Webhooks 1.0: at least once, in
// order per order, tried again for three days.

#include <orderproc/cloud_event.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/webhook_endpoint.hpp>
#include <orderproc/webhook_store.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct webhook_request {
    std::string endpoint;  // its id
    std::string url;
    std::vector<std::pair<std::string, std::string>> fields;  // of the header, in lower case
    std::string body;
    std::chrono::milliseconds timeout{0};  // from now until the answer's body is read
};

struct webhook_response {
    unsigned status = 0;  // 0: there was no answer…
    // …and why, in words that whoever owns the endpoint may read: they must not tell what the name
    // resolves to, or what else is at that address.
    std::string error = {};
    std::optional<std::chrono::seconds> retry_after = {};  // of 429 and 503
    std::string body = {};  // its beginning; webhook_attempt::answer_size_max bytes of it are kept
};

// Sends requests. It judges where a request may go: it must not follow redirects, nor connect to
// addresses that the host does not allow, at each delivery anew. Safe to use from any thread.
class ORDERPROC_EXPORT webhook_client {
public:
    virtual ~webhook_client() = default;
    // POSTs the body. Calls done exactly once: from any thread, also before this returns. It must
    // not block. stop: nobody waits for the answer any more, and nothing more should be sent.
    virtual void deliver(webhook_request what, std::stop_token stop,
                         std::function<void(webhook_response)> done) = 0;

protected:
    webhook_client() = default;
    webhook_client(const webhook_client&) = default;
    webhook_client& operator=(const webhook_client&) = default;
};

struct webhook_sender_options {
    webhook_keys keys = {};                    // that open the endpoints' secrets
    std::string source{default_event_source};  // of the CloudEvents: see is_event_source()
    std::string user_agent = "orderproc";
    std::string owner = {};  // at most 64 characters; empty: host, process and a random part
    // 100 ms to a year. An endpoint whose sender died has another one within it. All senders of a
    // storage use the same.
    std::chrono::milliseconds lease = std::chrono::seconds(10);
    // Between two moves of the cursors, from 0 to a third of the lease: what a crash sends again at
    // most. All move in one durable write.
    std::chrono::milliseconds move_every = std::chrono::milliseconds(500);
    // How often to look for endpoints, tests and replays; more than 0.
    std::chrono::milliseconds refresh_every = std::chrono::seconds(1);
    // How often to look for entries without being notified of a commit; more than 0.
    std::chrono::milliseconds poll_interval = std::chrono::seconds(1);
    std::chrono::milliseconds timeout = std::chrono::seconds(15);  // of a delivery
    std::size_t per_endpoint = 8;  // deliveries at a time, at least 1…
    std::size_t in_all = 64;       // …and for all endpoints together
    // What an event waits after each failed attempt, spread by 20 % either way; when there is no
    // more, it is given up, or the endpoint is paused if nothing has got through meanwhile. 429 and
    // 503 with Retry-After wait at least as long as that says, and the other events of the endpoint
    // with them.
    std::vector<std::chrono::milliseconds> retries = {
        std::chrono::seconds(5), std::chrono::minutes(5), std::chrono::minutes(30),
        std::chrono::hours(2),   std::chrono::hours(5),   std::chrono::hours(10),
        std::chrono::hours(14),  std::chrono::hours(20),  std::chrono::hours(24)};
    // An endpoint is paused when so many orders are parked, or when nothing but failures has come
    // for so long. 410 pauses it at once.
    std::size_t parked_max = 1000;
    std::chrono::milliseconds failing_max = std::chrono::hours(72);
    std::chrono::milliseconds attempts_kept = std::chrono::hours(7 * 24);
    // 0: the host calls run_once(), on one thread at a time. Else 1.
    std::size_t threads = 1;
    // With 0 threads: called, from any thread, when run_once() has something to do; not while
    // it runs, nor again before it has run. Must not throw.
    std::function<void()> on_ready = {};
};

struct webhook_report {
    std::size_t endpoints = 0;  // that this one sends for
    std::size_t under_way = 0;  // deliveries
    std::size_t parked = 0;     // orders
    std::size_t delivered = 0;  // since the call before
    std::size_t failed = 0;     // attempts, the same
    bool stopped = false;       // after stop(): nothing is left to do
    clock::instant next_due;    // nothing to do before this unless on_ready is called
};

// Follows the journal with a cursor for each endpoint, "webhook.<id>", which moves past what was
// answered with 2xx or is durably parked, so nothing is lost. The journal is read once for all
// endpoints that have caught up. One process at a time sends for an endpoint, and any number may
// run senders.
//
// An event that fails is parked with all later ones of its order; other orders go on. An endpoint
// whose answers fail one after the other gets no new events for a while: from a second to five
// minutes. What was given up, and why an endpoint was paused, is reported
// (observer::error(), "webhooks.given_up" and "webhooks.paused") and in its attempts. How late each
// endpoint is told is reported every second (observer::feed_measured()).
//
// A delivery that was under way in a crash is made again, with the same webhook-id and the same
// bytes; but what a redaction took out of an order is in no delivery that is begun after the sender
// has read the entry again, and it reads what is parked before each attempt. A journal that does
// not have what comes after a cursor (a restored backup, a purge) is reported
// ("webhooks.reset"), and followed from what it has.
//
// Safe to use from any thread, except where noted.
class ORDERPROC_EXPORT webhook_sender {
public:
    // All of them must outlive the sender. The reader is not shared with others that wait.
    webhook_sender(engine& orders, reader& journal, webhook_client& client,
                   webhook_sender_options options);
    // stop() with no time to drain. REQUIRES: not on the sender's thread, nor on one that runs the
    // engine.
    ~webhook_sender();
    webhook_sender(const webhook_sender&) = delete;
    webhook_sender& operator=(const webhook_sender&) = delete;

    // Does what can be done now; waits for the storage's reads, and for no answer. Does not throw:
    // an exception is reported to the observer, and next_due is when to try again.
    // REQUIRES: options.threads is 0, after start().
    webhook_report run_once();
    // As that said last, or in the past if there has come something to do since: see runnable.hpp.
    clock::instant next_due() const noexcept;

    // errc::invalid_argument, with the option's name, for options out of range;
    // errc::not_supported: the storage has no records; errc::stopped after stop();
    // errc::unavailable if there is no thread to be had. Idempotent.
    result<void> start();
    // Endpoints were changed: they are read at once.
    void look_again() noexcept;

    // Begins no more deliveries; what is under way may end until then. Lets the cursors go, and
    // returns when that is committed. With 0 threads it returns at once, and run_once() goes on
    // until it reports stopped. Idempotent; a shorter drain wins.
    // REQUIRES: not on a thread that runs the engine, unless the sender has 0 threads.
    void stop(std::chrono::milliseconds drain = {});

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
