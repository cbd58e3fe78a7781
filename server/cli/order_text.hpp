#ifndef ORDERPROC_SERVER_CLI_ORDER_TEXT_HPP
#define ORDERPROC_SERVER_CLI_ORDER_TEXT_HPP

// Orders as people type and read them.

#include <orderproc/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// Control characters, C1 ones too, as \x1b and the like: what clients wrote must not command a
// terminal.
std::string printable(std::string_view text);

using table_row = std::vector<std::string>;
// Columns as wide as their widest cell (in UTF-8 characters), two spaces apart.
std::string make_table(const std::vector<table_row>& rows);

// "1001" or "1001x3", appended to ids. errc::invalid_argument.
result<void> parse_item(std::string_view text, std::vector<std::string>& ids);

// The body of a create, of an amount and metadata as typed; item_ids and user_id are numbers.
// errc::invalid_argument for an amount that is no number or metadata that is no JSON object.
struct typed_order {
    std::string order_id, currency, metadata;  // empty: left out
    std::string user_id, total_amount;
    std::vector<std::string> item_ids;
};
result<std::string> to_body(const typed_order& of);

// Orders in a text: an array, one, or one a line.
struct many_orders {
    std::vector<std::string_view> items;  // view the text
    bool lines = false;                   // nobody has looked whether they are JSON
};
// errc::invalid_argument if there are none, or the array is malformed, and where.
result<many_orders> split_orders(std::string_view text);

// Of an order and a history's entry in JSON, as the server writes them.
table_row order_headings();
table_row order_row(std::string_view order);
table_row history_headings();
table_row history_row(std::string_view entry);
// Of a change in the live feed: a CloudEvent.
struct change_text {
    std::string at, event, from, to, reason;
};
change_text change_of(std::string_view cloud_event);

// Of an item in the answer to a batch, as the server writes it. problem: empty for 201.
struct batch_verdict {
    unsigned status = 500;
    std::string problem;
};
batch_verdict batch_verdict_of(std::string_view item);

// A problem document (RFC 9457): a line, and one for each of its errors. Without one, the status.
std::string problem_text(unsigned status, std::string_view body);

}  // namespace orderproc::server

#endif
