#ifndef ORDERPROC_SERVER_API_API_HPP
#define ORDERPROC_SERVER_API_API_HPP

// The orders over HTTP: functions from a request to an answer or a command. No sockets here.

#include "api/api_parts.hpp"
#include "api/bulk_retry.hpp"
#include "api/caller.hpp"
#include "api/cursor_seal.hpp"
#include "api/list_query.hpp"
#include "api/openapi.hpp"
#include "api/pending.hpp"
#include "api/problems.hpp"
#include "api/routes.hpp"
#include "api/shared_facts.hpp"
#include "http/message.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/items.hpp>
#include <orderproc/json.hpp>
#include <orderproc/read_pool.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

// Safe to use from any thread. Exceptions end here: they are a 500.
class api {
public:
    // Both outlive it.
    api(engine& orders, read_pool& reads, api_parts parts = {});

    // By the header alone: who asks, and whether they may. False: answered.
    bool admit(http::request& in, caller& by, http::response& out) noexcept;
    // Answers, and todo is none; or todo is what the answer waits for.
    void begin(const http::request& in, caller by, std::optional<pending>& todo,
               http::response& out) noexcept;
    // The order of `load` was read, or could not be. Answers, or returns true: then of has
    // something else to wait for.
    bool finish_load(pending& of, const http::request& in, result<loaded_order>& loaded,
                     http::response& out) noexcept;
    // `read` was carried out, or could not be. Answers.
    void finish_read(pending& of, const http::request& in, result<void>& done,
                     http::response& out) noexcept;
    // Answers, or returns true: then of has another command to submit, or a note to be written. The
    // outcome of a command that the engine did not take is its error.
    bool finish(pending& of, const http::request& in, change_outcome& outcome,
                http::response& out) noexcept;
    // The record of `note` was written, or could not be. Answers.
    void finish_note(const http::request& in, error_code ec, http::response& out) noexcept;
    // Reads the next step of a batch that is not whole yet. Answers, or returns true.
    bool read_batch(pending& todo, const http::request& in, http::response& out) noexcept;
    // What the item checker said. Answers, or returns true: the command is to be submitted.
    bool judge_items(pending& of, const http::request& in, error_code ec,
                     std::span<const std::size_t> unknown, http::response& out) noexcept;

    engine& orders() noexcept { return engine_; }
    read_pool& reads() noexcept { return reads_; }
    item_gate* items() noexcept { return parts_.items; }

    // The handlers of the table of routes.
    bool create_order(const call& it, http::response& out, pending& todo);
    bool create_orders(const call& it, http::response& out, pending& todo);
    bool list_orders(const call& it, http::response& out, pending& todo);
    bool get_order(const call& it, http::response& out, pending& todo);
    bool replace_order(const call& it, http::response& out, pending& todo);
    bool patch_order(const call& it, http::response& out, pending& todo);
    bool patch_annotations(const call& it, http::response& out, pending& todo);
    bool get_history(const call& it, http::response& out, pending& todo);
    bool delete_order(const call& it, http::response& out, pending& todo);
    bool cancel_order(const call& it, http::response& out, pending& todo);
    bool retry_order(const call& it, http::response& out, pending& todo);
    bool raise_transition(const call& it, http::response& out, pending& todo);
    bool answer_attempt(const call& it, http::response& out, pending& todo);
    bool erase_personal(const call& it, http::response& out, pending& todo);
    bool list_orders_by_status(const call& it, http::response& out, pending& todo);
    bool stream_events(const call& it, http::response& out, pending& todo);
    bool stream_order_events(const call& it, http::response& out, pending& todo);
    bool get_journal(const call& it, http::response& out, pending& todo);
    bool create_endpoint(const call& it, http::response& out, pending& todo);
    bool list_endpoints(const call& it, http::response& out, pending& todo);
    bool get_endpoint(const call& it, http::response& out, pending& todo);
    bool patch_endpoint(const call& it, http::response& out, pending& todo);
    bool delete_endpoint(const call& it, http::response& out, pending& todo);
    bool test_endpoint(const call& it, http::response& out, pending& todo);
    bool rotate_endpoint(const call& it, http::response& out, pending& todo);
    bool pause_endpoint(const call& it, http::response& out, pending& todo);
    bool resume_endpoint(const call& it, http::response& out, pending& todo);
    bool replay_endpoint(const call& it, http::response& out, pending& todo);
    bool list_attempts(const call& it, http::response& out, pending& todo);
    bool get_whoami(const call& it, http::response& out, pending& todo);
    bool list_pauses(const call& it, http::response& out, pending& todo);
    bool pause_work(const call& it, http::response& out, pending& todo);
    bool resume_work(const call& it, http::response& out, pending& todo);
    bool list_workers(const call& it, http::response& out, pending& todo);
    bool explain_order(const call& it, http::response& out, pending& todo);
    bool get_dead_letters(const call& it, http::response& out, pending& todo);
    bool retry_dead_letters(const call& it, http::response& out, pending& todo);
    bool get_operation(const call& it, http::response& out, pending& todo);
    bool stop_operation(const call& it, http::response& out, pending& todo);
    bool get_stats(const call& it, http::response& out, pending& todo);
    bool get_findings(const call& it, http::response& out, pending& todo);
    bool get_metrics(const call& it, http::response& out, pending& todo);
    bool get_health(const call& it, http::response& out, pending& todo);
    bool get_readiness(const call& it, http::response& out, pending& todo);
    bool get_model(const call& it, http::response& out, pending& todo);
    bool get_openapi(const call& it, http::response& out, pending& todo);
    bool get_docs(const call& it, http::response& out, pending& todo);
    bool get_root(const call& it, http::response& out, pending& todo);

private:
    using edit_parser = parsed_edit(std::string_view, const order*, const order_model&);

    route_match find_route(const http::request& in) const noexcept;
    bool still_may(const access& needs, const caller& by, const http::request& in,
                   http::response& out) const;
    bool dispatch(const http::request& in, http::response& out, pending& todo);
    bool handle(const route_match& matched, const http::request& in, http::response& out,
                pending& todo);
    bool edit(const call& it, edit_parser* parse, http::response& out, pending& todo);
    bool knows_current(const call& it, std::string& id, bool& waits, http::response& out,
                       pending& todo);
    bool edit_loaded(const http::request& in, loaded_order& it, pending& todo, http::response& out);
    bool show_order(const http::request& in, loaded_order& it, pending& todo, http::response& out);
    void ask_for_key(std::string id, pending& todo);
    bool finish_asking_for_key(const http::request& in, change_outcome& outcome, pending& todo,
                               http::response& out);
    bool finish_edit(const http::request& in, change_outcome& outcome, pending& todo,
                     http::response& out);
    bool get_order_at(const call& it, std::string id, std::string_view time, http::response& out,
                      pending& todo);
    bool raise(const call& it, std::string event, std::string reason, http::response& out,
               pending& todo);
    bool finish_create(const http::request& in, change_outcome& outcome, pending& todo,
                       http::response& out);
    bool read_batch(pending& todo, const http::request& in, std::string_view key,
                    http::response& out);
    void add_to_batch(const http::request& in, std::string_view key, std::string_view text,
                      pending& todo);
    bool finish_batch(const http::request& in, change_outcome& outcome, pending& todo,
                      http::response& out);
    bool finish_delete(const http::request& in, change_outcome& outcome, pending& todo,
                       http::response& out);
    bool finish_move(const http::request& in, change_outcome& outcome, pending& todo,
                     http::response& out);
    bool finish_redaction(const http::request& in, change_outcome& outcome, pending& todo,
                          http::response& out);
    bool finish_answer(const http::request& in, change_outcome& outcome, pending& todo,
                       http::response& out);
    bool settle_refusal(const http::problem_kind& rejected, const http::request& in,
                        change_outcome& outcome, pending& todo, http::response& out);
    bool read_page(const call& it, std::optional<order_status> fixed, http::response& out,
                   pending& todo);
    bool read_one(list_query query, pending& todo);
    bool read_changes(list_query query, std::vector<query_parameter> parameters, pending& todo);
    bool has_webhooks(const http::request& in, http::response& out);
    bool list_group(const call& it, std::string reason, const std::optional<std::string>& limit,
                    const std::optional<std::string>& cursor, http::response& out, pending& todo);
    bool show_operation(const call& it, bool stop, http::response& out);
    std::vector<health_reason> process_reasons() const;
    bool change_pauses(const call& it, bool begins, http::response& out, pending& todo);
    template <class Plan, class Write>
    bool change_webhook(const char* action, Plan plan, Write write, pending& todo);
    template <class Plan, class Write>
    bool change_one_webhook(const call& it, const char* action, Plan plan, Write write,
                            http::response& out, pending& todo);
    void fail(const failure& why, const http::request& in, http::response& out);
    void fail_change(const change_outcome& why, const http::request& in, http::response& out);
    void fail_with_exception(const http::request& in, http::response& out) noexcept;

    engine& engine_;
    read_pool& reads_;
    const api_parts parts_;
    const cursor_seal seal_;
    const std::string instance_;  // of this process
    bulk_retries retries_{engine_};
    shared_facts facts_ = share_facts(engine_, parts_.facts_shared_for);
    shared_work work_ = share_work(engine_, parts_.facts_shared_for);
    openapi_document openapi_{engine_, parts_.limits};
};

}  // namespace orderproc::server

#endif
