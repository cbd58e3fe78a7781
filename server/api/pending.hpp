#ifndef ORDERPROC_SERVER_API_PENDING_HPP
#define ORDERPROC_SERVER_API_PENDING_HPP

// A request between its handler and its answer.

#include "api/batch.hpp"
#include "api/caller.hpp"
#include "api/item_refusal.hpp"
#include "api/pending_read.hpp"
#include "api/preconditions.hpp"
#include "http/message.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/read_pool.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc::server {

class api;

// What an answer waits for. A request goes through these states, and in none of them does it hold
// up its connection's thread:
//
//   begin() ──► the handler ──► answered at once
//                 │    ▲
//                 │    └─ once more, for the order is known now or has changed ─┐
//                 │                                                             │
//                 ├──► an order is loaded ───────► finish_load() ───────────────┼──► answered
//                 ├──► something else is read ───► finish_read() ───────────────│──► answered
//                 │                 └─ and what follows from it is written ─┘   │
//                 ├──► the items are asked for ──► judge_items() ──┐            │
//                 │                                     │          │ allowed    │
//                 │                              refused└──────────│────────────│──► answered
//                 └──► a change is to be committed ◄───────────────┘            │
//                           └──► finish() ──────────────────────────────────────┴──► answered
//                                   └──► a record is written ──► finish_note() ─────► answered
//
struct pending {
    caller by;  // who asks

    // A read of the order with this id, and what to do with it. True: the handler is to be asked
    // again, for current is now known.
    std::string load;  // empty: no such read
    bool (api::*use)(const http::request&, loaded_order&, pending&, http::response&) = nullptr;
    bool use_answers = false;  // whatever was loaded: there is nothing else to wait for then
    std::unique_ptr<pending_read> read;  // any other read
    bool read_may_fail = false;          // then it is answered without what was to be read

    // A command to submit, and how to tell its outcome. True: as for use.
    command what;
    std::unique_ptr<change> made;  // if there is one, it is submitted instead, as of the caller
    bool (api::*finish)(const http::request&, change_outcome&, pending&, http::response&) = nullptr;
    std::optional<order> current;  // as it was when last looked at
    unsigned conflicts = 0;        // how often it had changed by then
    bool asks_items = false;       // its items are to be asked for before it is submitted
    // The items were refused: the command in its place only asks for the key.
    std::optional<refused_items> refused;
    // A record to be written before the answer, which is ready, is given.
    std::unique_ptr<change_record> note;
    std::unique_ptr<batch> many;  // if there is one, its commands are to be submitted instead

    bool reads() const noexcept { return read || !load.empty(); }
};

// Into out: the SKUs of its order, or of all its orders, one after the other.
void collect_items(const pending& todo, std::vector<std::string>& out);

// What the command demands of the order's version. A first try names one that If-Match does;
// its refusal tells which there is.
std::optional<order_version> expected_version(const http::request& in, const pending& todo);

// Why If-Match does not match the order as it is, if that is known.
std::string version_text(const if_match& wanted, const std::optional<order>& it);

}  // namespace orderproc::server

#endif
