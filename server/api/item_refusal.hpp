#ifndef ORDERPROC_SERVER_API_ITEM_REFUSAL_HPP
#define ORDERPROC_SERVER_API_ITEM_REFUSAL_HPP

// An order whose items may not be ordered, or nobody can tell.

#include "http/message.hpp"

#include <orderproc/command.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace orderproc::server {

struct refused_items {
    error_code ec;                     // set: the checker could not tell
    std::vector<std::size_t> unknown;  // else: their positions
    bool lines = false;                // among lines, not item_ids
};

void write_refusal(const refused_items& why, const http::request& in, http::response& out);

// What was done already is answered as it was then, whatever the checker says today: with a
// key the command is replaced by one that changes nothing, for no order is at version 0, but
// finds out whether the key is known. False: there is no key to ask for.
bool ask_for_key_instead(command& refused);

}  // namespace orderproc::server

#endif
