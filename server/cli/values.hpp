#ifndef ORDERPROC_SERVER_CLI_VALUES_HPP
#define ORDERPROC_SERVER_CLI_VALUES_HPP

// The texts that options take.

#include "processors/http_processor.hpp"

#include <orderproc/items.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/processor.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// parse_duration() for an option that takes low to a year. The failure names the option.
result<std::chrono::milliseconds> duration_option(
    std::string_view option, std::string_view text,
    std::chrono::milliseconds low = std::chrono::milliseconds(0));

struct endpoint {
    std::string host;  // an IPv4 or IPv6 address, without brackets
    std::uint16_t port = 0;
    bool loopback() const;
};
// "127.0.0.1:8000", "[::1]:8000", ":8000" (loopback). errc::invalid_argument.
result<endpoint> parse_endpoint(std::string_view text);

// "file:PATH" or "http://host/path"; errors are reported to watch. Empty: none, all items will do.
result<std::unique_ptr<item_checker>> make_named_items(const std::string& text, observer& watch);

// Words as a POSIX shell splits them: at blanks, with '…', "…" and a backslash for what is to be
// taken as it is. Nothing is expanded. errc::invalid_argument: a quotation mark is not closed.
result<std::vector<std::string>> split_words(std::string_view text);

// "simulate:2s,fail=0.1", "exec:PROGRAM ARGUMENTS", "http://host/path": each raises the event when
// it is done. at_once: the processes or connections of the latter two; 0 leaves that to them. They
// are given orders as JSON under the model, which must outlive them.
result<std::unique_ptr<processor>> make_named_processor(
    const std::string& text, const std::string& event, std::size_t at_once = 0,
    const order_model& model = order_model::standard(), handed_over_work later = {});

}  // namespace orderproc::server

#endif
