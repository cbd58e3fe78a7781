#ifndef ORDERPROC_SERVER_API_API_HPP
#define ORDERPROC_SERVER_API_API_HPP

// The orders over HTTP: functions from a request to an answer or a command. No sockets here.

#include "api/batch.hpp"
#include "api/item_refusal.hpp"
#include "api/list_query.hpp"
#include "api/openapi.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/routes.hpp"
#include "http/message.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/items.hpp>
#include <orderproc/json.hpp>
#include <orderproc/reader.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

// A command to submit, and how to tell its outcome.
struct pending {
    command what;
    // True: the handler is to be asked again, for current is now known.
    bool (api::*finish)(const http::request&, change_outcome&, pending&, http::response&) = nullptr;
    std::optional<order> current;  // as it was when last looked at
    unsigned conflicts = 0;        // how often it had changed by then
    bool asks_items = false;       // its items are to be asked for before it is submitted
    // The items were refused: the command in its place only asks for the key.
    std::optional<refused_items> refused;
    std::unique_ptr<batch> many;  // if there is one, its commands are to be submitted instead
};

// The items of its order, or of all its orders; a view of them unless there are many.
std::span<const std::int64_t> items_of(const pending& todo, std::vector<std::int64_t>& many);

// What the command demands of the order's version. A first try names one that If-Match does;
// its refusal tells which there is.
std::optional<order_version> expected_version(const http::request& in, const pending& todo);

// Why If-Match does not match the order as it is, if that is known.
std::string version_text(const if_match& wanted, const std::optional<order>& it);

class live_feed;

// What there is beside orders. All of it outlives the api.
struct api_parts {
    item_gate* items = nullptr;  // none: all items will do
    // Prometheus' text, or OpenMetrics'; none: metrics are JSON alone.
    std::function<std::string(bool openmetrics)> exposition;
    std::function<std::vector<std::string>()> unready;   // why; none: ready while it can be read
    std::function<std::vector<std::string>()> degraded;  // ready, but; none: never
    live_feed* feed = nullptr;                           // none: there are no streams
    http::request_limits limits;                         // to be told of
    bool operations_only = false;                        // metrics and health, no orders
};

// Safe to use from any thread. Exceptions end here: they are a 500.
class api {
public:
    // Both outlive it.
    api(engine& orders, reader& reads, api_parts parts = {})
        : engine_(orders), reader_(reads), parts_(std::move(parts)) {}

    // Answers, or returns what has to be submitted before finish() can.
    std::optional<pending> begin(const http::request& in, http::response& out) noexcept;
    // Answers, or returns true: then of has another command to submit. The outcome of a
    // command that the engine did not take is its error.
    bool finish(pending& of, const http::request& in, change_outcome& outcome,
                http::response& out) noexcept;
    // Reads the next step of a batch that is not whole yet. Answers, or returns true.
    bool read_batch(pending& todo, const http::request& in, http::response& out) noexcept;
    // What the item checker said. Answers, or returns true: the command is to be submitted.
    bool judge_items(pending& of, const http::request& in, error_code ec,
                     std::span<const std::size_t> unknown, http::response& out) noexcept;

    engine& orders() noexcept { return engine_; }
    item_gate* items() noexcept { return parts_.items; }

    // The handlers of the table of routes.
    bool create_order(const call& it, http::response& out, pending& todo);
    bool create_orders(const call& it, http::response& out, pending& todo);
    bool list_orders(const call& it, http::response& out, pending& todo);
    bool get_order(const call& it, http::response& out, pending& todo);
    bool replace_order(const call& it, http::response& out, pending& todo);
    bool patch_order(const call& it, http::response& out, pending& todo);
    bool get_history(const call& it, http::response& out, pending& todo);
    bool delete_order(const call& it, http::response& out, pending& todo);
    bool cancel_order(const call& it, http::response& out, pending& todo);
    bool retry_order(const call& it, http::response& out, pending& todo);
    bool raise_transition(const call& it, http::response& out, pending& todo);
    bool list_orders_by_status(const call& it, http::response& out, pending& todo);
    bool stream_events(const call& it, http::response& out, pending& todo);
    bool stream_order_events(const call& it, http::response& out, pending& todo);
    bool get_metrics(const call& it, http::response& out, pending& todo);
    bool get_health(const call& it, http::response& out, pending& todo);
    bool get_readiness(const call& it, http::response& out, pending& todo);
    bool get_openapi(const call& it, http::response& out, pending& todo);
    bool get_docs(const call& it, http::response& out, pending& todo);
    bool get_root(const call& it, http::response& out, pending& todo);

private:
    using edit_parser = parsed_edit(std::string_view, const order*);

    bool dispatch(const http::request& in, http::response& out, pending& todo);
    bool handle(const route_match& matched, const http::request& in, http::response& out,
                pending& todo);
    bool edit(const call& it, edit_parser* parse, http::response& out, pending& todo);
    bool load_current(const http::request& in, const std::string& id, http::response& out,
                      pending& todo);
    void ask_for_key(std::string id, pending& todo);
    bool finish_asking_for_key(const http::request& in, change_outcome& outcome, pending& todo,
                               http::response& out);
    bool finish_edit(const http::request& in, change_outcome& outcome, pending& todo,
                     http::response& out);
    void get_order_at(const call& it, std::string_view id, std::string_view time,
                      http::response& out);
    bool raise(const call& it, std::string event, std::string reason, http::response& out,
               pending& todo);
    bool finish_create(const http::request& in, change_outcome& outcome, pending& todo,
                       http::response& out);
    bool read_batch(pending& todo, const http::request& in, std::string_view key,
                    http::response& out);
    void add_to_batch(const http::request& in, std::string_view key, std::string_view text,
                      batch& to);
    bool finish_batch(const http::request& in, change_outcome& outcome, pending& todo,
                      http::response& out);
    bool finish_delete(const http::request& in, change_outcome& outcome, pending& todo,
                       http::response& out);
    bool finish_move(const http::request& in, change_outcome& outcome, pending& todo,
                     http::response& out);
    bool settle_refusal(const http::problem_kind& rejected, const http::request& in,
                        change_outcome& outcome, pending& todo, http::response& out);
    void answer_page(const call& it, std::optional<order_status> fixed, http::response& out);
    void fail(const failure& why, const http::request& in, http::response& out);
    void fail_change(const change_outcome& why, const http::request& in, http::response& out);
    void fail_with_exception(const http::request& in, http::response& out) noexcept;

    engine& engine_;
    reader& reader_;
    const api_parts parts_;
    openapi_document openapi_{engine_.machine(), parts_.limits};
};

}  // namespace orderproc::server

#endif
