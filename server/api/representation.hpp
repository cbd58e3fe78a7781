#ifndef ORDERPROC_SERVER_API_REPRESENTATION_HPP
#define ORDERPROC_SERVER_API_REPRESENTATION_HPP

// What the handlers of orders have in common: the path, the body, the order as the answer.

#include "api/routes.hpp"
#include "api/uri.hpp"
#include "http/message.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/json.hpp>
#include <orderproc/order.hpp>
#include <orderproc/repository.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

// Orders are private and change: no cache keeps them.
inline constexpr std::string_view order_fields = "Cache-Control: no-store\r\n";

// Where the feed ends now. Read before the rows of an answer: a client that follows the feed from
// there misses nothing that happened after they were read.
result<feed_position> newest_position(repository_reader& from);

// The fields of every answer about orders that were read.
void add_order_fields(const feed_position& at, http::response& out);

// The field Link to the same resource, with this value of one parameter in the place of another: a
// query alone, which stays on the path that the client asked for (RFC 3986, 5.2.2), whatever a
// proxy has made of that. The value needs no encoding.
std::string next_link(const std::vector<query_parameter>& parameters, std::string_view name,
                      std::string_view value);

// The order with its tag. The status is left alone.
void write_order(const order& it, const order_model& model, http::response& out);

// How paths name an order: a plain id as it is, any other as "~" and the id in base64url, because
// proxies refuse "%2F" or decode it. No id begins with "~".
std::string path_name(const order_id& id);
void append_path_name(const order_id& id, std::string& out);
// The id that a path means by such a name, or by the id itself, percent-encoded. It need not be one
// that an order can have. None: the percent-encoding is malformed.
std::optional<std::string> named_order(std::string_view name);

// The id in the path; else answered: 400 if it is malformed, 404 if no order can have it.
bool read_order_id(const call& it, std::string& id, http::response& out);

// The one query parameter that there may be. False: answered, for there is another.
bool read_parameter(const http::request& in, std::string_view name,
                    std::optional<std::string>& value, http::response& out);
// Several that there may be, each once: values has an element for each name. False: answered.
bool read_parameters(const http::request& in, std::span<const std::string_view> names,
                     std::span<std::optional<std::string>> values, http::response& out);
// Whether there are no query parameters; else answered.
bool expect_no_query(const http::request& in, http::response& out);

// Whether the body is JSON and without errors; else answered.
bool expect_valid(const syntax_error& syntax, std::span<const field_error> errors,
                  const http::request& in, http::response& out);

// "00-" 32 digits "-" 16 digits "-" 2 digits (W3C Trace Context, 3.2); others are not passed on.
std::string_view valid_traceparent(std::string_view text) noexcept;

}  // namespace orderproc::server

#endif
