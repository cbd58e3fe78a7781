#ifndef ORDERPROC_SERVER_CLI_ORDER_TEXT_HPP
#define ORDERPROC_SERVER_CLI_ORDER_TEXT_HPP

// Orders as people type and read them.

#include <orderproc/error.hpp>
#include <orderproc/order_model.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

using table_row = std::vector<std::string>;
// Columns as wide as their widest cell (in UTF-8 characters), two spaces apart.
std::string make_table(const std::vector<table_row>& rows);

// "1001" or "1001x3", appended to ids. errc::invalid_argument.
result<void> parse_item(std::string_view text, std::vector<std::string>& ids);

// "TEE-S", "TEE-S=2" or "TEE-S=2@19.90", appended to lines as JSON: the amount, of one piece, is as
// it was typed. errc::invalid_argument.
result<void> parse_line(std::string_view text, std::vector<std::string>& lines);

// The body of a create, of amounts and JSON as typed. errc::invalid_argument: something is not what
// the model says that it is, so that it would not even be JSON. All else is for the server to
// judge.
struct typed_order {
    std::string order_id, currency, metadata;  // empty: left out
    std::string user_id, total_amount;
    std::vector<std::string> item_ids;
    std::vector<std::string> lines = {};       // as parse_line() makes them
    std::vector<std::string> attributes = {};  // "NAME=VALUE"
    std::string tenant = {}, annotations = {}, not_before = {};
};
result<std::string> to_body(const typed_order& of,
                            const order_model& model = order_model::standard());
// The same under a model that the server does not show: a user or the value of an attribute that is
// a number, true, false or a string of JSON stands as it was typed, all else is a text.
result<std::string> to_body_as_typed(const typed_order& of);

// Orders in a text: an array, one, or one a line.
struct many_orders {
    std::vector<std::string_view> items;  // view the text
    bool lines = false;                   // nobody has looked whether they are JSON
};
// errc::invalid_argument if there are none, or the array is malformed, and where.
result<many_orders> split_orders(std::string_view text);

// What follows reads a server's answers, and none of it may command a terminal: all texts are
// printable(), but for order_id_of() and answer_items.

// Of an order and a history's entry in JSON, numbers as the server wrote them. Of its attributes
// those by which orders are found.
table_row order_headings(const order_model& model = order_model::standard());
table_row order_row(std::string_view order, const order_model& model = order_model::standard());
std::string order_id_of(std::string_view order);  // as the server has it; empty: it has none
table_row history_headings();
table_row history_row(std::string_view entry);
// Of a change in the live feed: a CloudEvent.
struct change_text {
    std::string at, event, from, to, reason;
};
change_text change_of(std::string_view cloud_event);

// Of an item in the answer to a batch.
struct batch_verdict {
    unsigned status = 500;
    std::string_view problem;  // JSON, a view of the item; empty for 201
};
batch_verdict batch_verdict_of(std::string_view item);

// The texts of {"items":[…],"next_cursor":…}.
struct answer_items {
    bool valid = false;                   // it is such an answer
    std::vector<std::string_view> items;  // view the body
    std::string next_cursor;              // empty: there is none
};
answer_items items_of(std::string_view body);

// A problem document (RFC 9457): a line, and one for each of its errors. Without one, the status.
std::string problem_text(unsigned status, std::string_view body);

}  // namespace orderproc::server

#endif
