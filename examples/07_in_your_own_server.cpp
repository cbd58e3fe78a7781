// The engine in an HTTP server of your own, on Boost.Asio and Beast: a handler is a coroutine that
// waits for the commit without a thread. Commands of all connections share transactions.

#include <orderproc/asio.hpp>
#include <orderproc/json.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstdio>
#include <exception>
#include <string>

using namespace orderproc;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

namespace {

struct shop {
    engine& orders;
    reader& reads;
};

response answer(http::status status, std::string body) {
    response out(status, 11);
    out.set(http::field::content_type, "application/json");
    out.body() = std::move(body);
    out.prepare_payload();
    return out;
}

http::status status_of(error_code ec) {
    if (ec == errc::already_exists) return http::status::conflict;
    return ec ? http::status::service_unavailable : http::status::created;
}

asio::awaitable<response> post(shop& in, std::string body) {
    parsed_order parsed = parse_order(body);
    if (!parsed.ok()) co_return answer(http::status::unprocessable_entity, "{}");
    command create;  // named: GCC 12 destroys a temporary in a co_await twice
    create.what = submit_order{std::move(parsed.value)};
    const change_outcome made =
        co_await async_submit(in.orders, std::move(create), use_awaitable);  // durable after it
    co_return answer(status_of(made.ec), made.after ? to_json(*made.after) : "{}");
}

// Reads block, for microseconds in memory or SQLite; a database far away wants a thread pool.
response get(shop& in, const std::string& id) {
    const auto found = in.reads.use([&](repository_reader& from) {
        return from.load({.ids = {&id, 1}});
    });
    if (!found) return answer(http::status::service_unavailable, "{}");
    const auto& it = found->orders.at(0);
    return it ? answer(http::status::ok, to_json(*it)) : answer(http::status::not_found, "{}");
}

asio::awaitable<void> serve(shop& in, tcp::socket socket) {
    boost::beast::flat_buffer buffer;
    while (true) {
        request asked;
        boost::system::error_code ec;
        co_await http::async_read(socket, buffer, asked, asio::redirect_error(use_awaitable, ec));
        if (ec) co_return;  // the client is gone
        const std::string path(asked.target());
        response said;
        if (asked.method() == http::verb::post) {
            said = co_await post(in, asked.body());
        } else {
            said = get(in, path.substr(path.rfind('/') + 1));
        }
        co_await http::async_write(socket, said, asio::redirect_error(use_awaitable, ec));
        if (ec) co_return;
    }
}

asio::awaitable<void> accept(shop& in, tcp::acceptor& from) {
    while (true) {
        boost::system::error_code ec;
        tcp::socket socket = co_await from.async_accept(asio::redirect_error(use_awaitable, ec));
        if (ec) co_return;  // closed
        asio::co_spawn(from.get_executor(), serve(in, std::move(socket)), asio::detached);
    }
}

// The demonstration's own client, in the same loop.
asio::awaitable<response> ask(tcp::socket& socket, http::verb verb, std::string path,
                              std::string body = {}) {
    request asking(verb, path, 11);
    asking.body() = std::move(body);
    asking.prepare_payload();
    co_await http::async_write(socket, asking, use_awaitable);
    boost::beast::flat_buffer buffer;
    response said;
    co_await http::async_read(socket, buffer, said, use_awaitable);
    std::printf("%d %s\n", said.result_int(), said.body().c_str());
    co_return said;
}

asio::awaitable<bool> visit(tcp::acceptor& server) {
    tcp::socket socket(server.get_executor());
    const tcp::endpoint where = server.local_endpoint();
    co_await socket.async_connect(where, use_awaitable);
    const std::string order =
        R"({"order_id":"ORD-7","user_id":7,"item_ids":[1],"total_amount":9.99})";
    const response made = co_await ask(socket, http::verb::post, "/orders", order);
    const response again = co_await ask(socket, http::verb::post, "/orders", order);
    const response bad = co_await ask(socket, http::verb::post, "/orders", "{}");
    const response found = co_await ask(socket, http::verb::get, "/orders/ORD-7");
    const response none = co_await ask(socket, http::verb::get, "/orders/ORD-8");
    server.close();
    co_return made.result_int() == 201 && again.result_int() == 409 && bad.result_int() == 422 &&
        found.result_int() == 200 && found.body() == made.body() && none.result_int() == 404;
}

}  // namespace

int main() {
    asio::io_context context(1);  // outlives the engine, whose thread posts to it
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(*stored);
    shop in{orders, reads};
    tcp::acceptor server(context, {asio::ip::address_v4::loopback(), 0});
    asio::co_spawn(context, accept(in, server), asio::detached);
    bool right = false;
    asio::co_spawn(context, visit(server),
                   [&](std::exception_ptr thrown, bool ok) { right = ok && !thrown; });
    context.run();  // until the visitor is gone and the last connection closed
    return right ? 0 : 1;
}
