#ifndef ORDERPROC_SERVER_CLI_ORDER_COMMAND_HPP
#define ORDERPROC_SERVER_CLI_ORDER_COMMAND_HPP

// What the subcommands of `orderproc order` do. Each answers the exit code.

#include "cli/order_client.hpp"
#include "cli/order_text.hpp"
#include "cli/progress.hpp"
#include "cli/server_command.hpp"
#include "cli/stored_model.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

struct order_settings : server_settings {
    // Of create.
    std::string user;
    std::vector<std::string> items, lines;
    std::vector<std::string> attributes;  // also of list, where they are filters
    std::string amount, currency, id, metadata, key, file, annotations, not_before;
    std::string tenant;  // also of list
    // Of those about one order.
    std::string order, at, timeout = "0";
    std::string event, reason;  // of raise
    std::uint64_t if_version = 0;
    bool all_failed = false;
    // Of list.
    std::vector<std::string> statuses;
    std::string from, until;
    std::size_t limit = 20;
    bool oldest_first = false;
};

class order_command {
public:
    order_command(const order_settings& with, http_url to, std::string token,
                  http::client_stream_maker* secure)
        : with_(with), client_(std::move(to), std::move(token), secure) {}

    int create();  // order_create.cpp
    int raise(const char* event);
    int raise_any();
    int get();
    int list();
    int history();
    int watch();  // order_watch.cpp

private:
    using order_sink = std::function<void(std::string_view order)>;
    struct tally {
        std::size_t done = 0, refused = 0;
    };

    // Asks for the server's model, once; a server that knows of none has the standard one, and so
    // does, as far as anybody can tell, one that does not show it. What exit_code_for() answers, if
    // the model cannot be had.
    std::optional<int> load_model();
    // For tables: the standard one if the server's cannot be had.
    const order_model& columns();

    int create_one();
    int create_many(const std::string& text);
    // Of how many orders the answer tells something.
    std::size_t judge_batch(std::string_view answer, std::size_t first, tally& all,
                            progress_line& line);
    int retry_all();
    // The pages of a list, the orders one after the other; most 0: all of them.
    std::optional<int> each_order(const std::string& filters, std::size_t most,
                                  const order_sink& sink);
    std::optional<int> each_change(const order_sink& sink);

    std::optional<int> exit_code_for(const result<fetch_response>& got, unsigned expected) const {
        return server::exit_code_for(got, expected, with_.json);
    }
    int show_order(const result<fetch_response>& got, unsigned expected);

    const order_settings& with_;
    const order_client client_;
    std::optional<shop_model> model_;
    bool model_is_hidden_ = false;  // the key does not have the scope to read it
};

}  // namespace orderproc::server

#endif
