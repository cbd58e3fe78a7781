#ifndef ORDERPROC_WEBHOOK_STORE_HPP
#define ORDERPROC_WEBHOOK_STORE_HPP

// Endpoints as records: how they are made, changed and shown. Functions that change something read
// what there is and return what is to be written. The host writes it (write_records()), together
// with records of its own if it likes, an audit say. Every process that sends notices within
// webhook_sender_options::refresh_every.

#include <orderproc/engine.hpp>
#include <orderproc/webhook_endpoint.hpp>
#include <orderproc/write_records.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct webhook_change {
    webhook_endpoint endpoint;  // as it will be
    std::vector<change_record> records;
    std::string secret = {};  // whsec_…, of one that was made; the only time that anybody sees it
    std::string task = {};    // of a test or a replay: its id
};

// What whoever makes an endpoint says, and may change later.
struct webhook_draft {
    std::string url;
    std::string description = {};
    std::vector<std::string> events = {};
    std::vector<order_status> statuses = {};
    order_scope scope = {};
    webhook_content content = webhook_content::full;
};

// All of these: errc::not_found if there is no such endpoint, or it was removed; else the errors of
// the storage. The connection is used during the call.

// By when they were made.
ORDERPROC_EXPORT result<std::vector<webhook_endpoint>> list_webhooks(repository_reader& from);
ORDERPROC_EXPORT result<webhook_endpoint> find_webhook(repository_reader& from,
                                                       std::string_view id);

struct create_webhook_params {
    webhook_draft draft;
    // Its first event is the first one at or after this time; none: the first after now.
    std::optional<timestamp> since = {};
    order_scope owner = {};  // what the creator is confined to; draft.scope is within it
    std::string created_by = {};
    timestamp now = {};
};
// errc::invalid_argument: see validate(). errc::overloaded: there are webhook_endpoint::all_max, or
// of_owner_max of an owner who is confined to something.
ORDERPROC_EXPORT result<webhook_change> create_webhook(repository_reader& from,
                                                       const create_webhook_params& params,
                                                       const webhook_keys& keys);
// What is sent from now on goes to the new URL, and new filters count for what is not sent yet.
ORDERPROC_EXPORT result<webhook_change> edit_webhook(repository_reader& from, std::string_view id,
                                                     webhook_draft draft);
// A new secret. The one before signs as well for the overlap; one that was older no longer.
ORDERPROC_EXPORT result<webhook_change> rotate_webhook(repository_reader& from, std::string_view id,
                                                       const webhook_keys& keys, timestamp now,
                                                       std::chrono::milliseconds overlap);
ORDERPROC_EXPORT result<webhook_change> pause_webhook(repository_reader& from, std::string_view id);
// Goes on where it stood; what had failed is tried again at once. One that is active is resumed as
// well: that ends all waiting.
ORDERPROC_EXPORT result<webhook_change> resume_webhook(repository_reader& from, std::string_view id,
                                                       timestamp now);
// Nothing new is sent once this is written and webhook_is_silent() says so. A sender deletes what
// is stored of it.
ORDERPROC_EXPORT result<webhook_change> remove_webhook(repository_reader& from,
                                                       std::string_view id);
// An event that tells of no order, sent once: attempts show what came of it.
ORDERPROC_EXPORT result<webhook_change> test_webhook(repository_reader& from, std::string_view id,
                                                     timestamp now);
// Sends again what matches its filters, with the same webhook-id and bytes as before: everything
// that was journaled from `since` and before `until`, in its order, or what one attempt was of.
// What fails three times in it is left out. At most 10 wait for an endpoint: errc::overloaded.
// errc::invalid_argument: the attempt was a test.
ORDERPROC_EXPORT result<webhook_change> replay_webhook(repository_reader& from, std::string_view id,
                                                       timestamp since, timestamp until,
                                                       timestamp now);
ORDERPROC_EXPORT result<webhook_change> replay_webhook_attempt(repository_reader& from,
                                                               std::string_view id,
                                                               std::string_view attempt,
                                                               timestamp now);

struct list_webhook_attempts_params {
    std::string_view endpoint;
    bool failed_only = false;
    std::string_view order = {};  // of this order; empty: any
    std::string_view after = {};  // the id of the last attempt of the page before
    std::size_t limit = 100;      // at least 1
};
struct webhook_attempt_page {
    std::vector<webhook_attempt> attempts;  // oldest first
    bool more = false;
};
ORDERPROC_EXPORT result<webhook_attempt_page> list_webhook_attempts(
    repository_reader& from, const list_webhook_attempts_params& params);

// Secrets that are not encrypted with the first key, encrypted with it: for the start of a program.
// The errors are those of webhook_keys::open(), so that a program with the wrong keys can refuse to
// start. Empty: there is nothing to write.
ORDERPROC_EXPORT result<std::vector<change_record>> reseal_webhooks(repository_reader& from,
                                                                    const webhook_keys& keys);

// Whether nothing is left of an endpoint.
ORDERPROC_EXPORT result<bool> webhook_is_gone(repository_reader& from, std::string_view id);
// Whether a removed endpoint has no sender any more: nothing is sent to it from now on. Takes the
// place of one for 5 s, through the engine; so once it has said true, it says false for as long.
// done is called once, on the thread that runs the engine, and must not throw.
ORDERPROC_EXPORT void webhook_is_silent(engine& orders, std::string_view id,
                                        std::function<void(result<bool>)> done);

}  // namespace v1
}  // namespace orderproc

#endif
