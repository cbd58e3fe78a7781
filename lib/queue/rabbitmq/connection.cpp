#include "queue/rabbitmq/connection.hpp"

#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace orderproc::detail::rabbitmq {

namespace {

constexpr int frame_max = 131072;        // RabbitMQ's own
constexpr int send_buffer = 512 * 1024;  // the kernel may give less
constexpr milliseconds close_timeout{1000};
constexpr std::uint16_t precondition_failed = 406;
constexpr std::uint16_t reply_success = 200;

timeval to_timeval(milliseconds it) noexcept {
    timeval out{};
    out.tv_sec = static_cast<time_t>(it.count() / 1000);
    out.tv_usec = static_cast<suseconds_t>(it.count() % 1000 * 1000);
    return out;
}

amqp_table_entry_t entry(const char* key, bool value) {
    amqp_table_entry_t out{};
    out.key = amqp_cstring_bytes(key);
    out.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    out.value.value.boolean = value ? 1 : 0;
    return out;
}
amqp_table_entry_t entry(const char* key, std::string_view value) {
    amqp_table_entry_t out{};
    out.key = amqp_cstring_bytes(key);
    out.value.kind = AMQP_FIELD_KIND_UTF8;
    out.value.value.bytes = bytes(value);
    return out;
}
amqp_table_entry_t entry(const char* key, std::int64_t value) {
    amqp_table_entry_t out{};
    out.key = amqp_cstring_bytes(key);
    out.value.kind = AMQP_FIELD_KIND_I64;
    out.value.value.i64 = value;
    return out;
}
amqp_table_entry_t entry(const char* key, const amqp_table_t& value) {
    amqp_table_entry_t out{};
    out.key = amqp_cstring_bytes(key);
    out.value.kind = AMQP_FIELD_KIND_TABLE;
    out.value.value.table = value;
    return out;
}

// The certificate must be for this host: names by RFC 6125, addresses by their own kind of entry.
// (rabbitmq-c would compare an address, and the subject, as if they were such names.)
bool expect_host(SSL_CTX* context, const std::string& host) {
    X509_VERIFY_PARAM* const param = SSL_CTX_get0_param(context);
    in6_addr address{};
    if (inet_pton(AF_INET, host.c_str(), &address) == 1 ||
        inet_pton(AF_INET6, host.c_str(), &address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
    }
    X509_VERIFY_PARAM_set_hostflags(
        param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1;
}

// What the broker says may name the user.
std::string without(std::string text, const std::string& user) {
    const std::string quoted = "'" + user + "'";
    for (std::size_t at = 0; (at = text.find(quoted, at)) != text.npos; at += 3) {
        text.replace(at, quoted.size(), "'…'");
    }
    return text;
}

}  // namespace

connection::connection(std::string name) : state_(amqp_new_connection()), name_(std::move(name)) {
    if (!state_) throw std::bad_alloc();
}

connection::~connection() {
    if (logged_in_ && !failure_ && !blocked_) {
        const timeval wait = to_timeval(close_timeout);
        amqp_set_rpc_timeout(state_, &wait);
        amqp_connection_close(state_, reply_success);
    }
    amqp_destroy_connection(state_);
}

result<std::unique_ptr<connection>> connection::open(const address& to,
                                                     const rabbitmq_options& with) {
    failure last;
    for (const endpoint& host : to.hosts) {
        std::unique_ptr<connection> made(new connection(show(host)));
        auto done = made->reach(host, to.tls, with);
        if (done) done = made->log_in(to, with);
        if (done) return made;
        last = std::move(done).error();
    }
    return last;
}

failure connection::fail(std::string text, errc value) {
    if (!failure_) failure_ = failure(value, name_ + ": " + without(std::move(text), user_));
    return *failure_;
}

result<void> connection::wrote(int status) {
    if (status < 0) return fail(amqp_error_string2(status));
    return {};
}

result<void> connection::reach(const endpoint& to, bool tls, const rabbitmq_options& with) {
    const timeval timeout = to_timeval(with.timeout);
    if (tls) {
        if (auto done = reach_over_tls(to, with, timeout); !done) return done;
    } else {
        amqp_socket_t* const socket = amqp_tcp_socket_new(state_);
        if (!socket) throw std::bad_alloc();
        const int status = amqp_socket_open_noblock(socket, to.host.c_str(), to.port, &timeout);
        if (status != AMQP_STATUS_OK) return fail(amqp_error_string2(status));
    }
    // What is sent and not taken for so long ends the connection: a write never waits longer.
    const int fd = amqp_get_sockfd(state_);
    const auto timeout_ms = static_cast<unsigned>(with.timeout.count());
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    return {};
}

result<void> connection::reach_over_tls(const endpoint& to, const rabbitmq_options& with,
                                        timeval timeout) {
    amqp_socket_t* const socket = amqp_ssl_socket_new(state_);
    if (!socket) return fail("TLS cannot be set up");
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 0);  // expect_host() has it done in the handshake
    auto* const context = static_cast<SSL_CTX*>(amqp_ssl_socket_get_context(socket));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (!expect_host(context, to.host)) return fail("no name for a certificate");
    const bool trusts = with.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                             : SSL_CTX_load_verify_locations(
                                                   context, with.ca_file.c_str(), nullptr) == 1;
    if (!trusts) return fail("the authorities cannot be read from " + with.ca_file);
    if (!with.certificate_file.empty() &&
        amqp_ssl_socket_set_key(socket, with.certificate_file.c_str(), with.key_file.c_str()) !=
            AMQP_STATUS_OK) {
        return fail("the certificate or its key cannot be read from " + with.certificate_file);
    }
    const int status = amqp_socket_open_noblock(socket, to.host.c_str(), to.port, &timeout);
    if (status == AMQP_STATUS_SSL_CONNECTION_FAILED ||
        status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED) {
        return fail(
            "no TLS: the broker's certificate is not for this host, or nobody who is "
            "trusted vouches for it, or it is not TLS 1.2 or later");
    }
    if (status != AMQP_STATUS_OK) return fail(amqp_error_string2(status));
    return {};
}

result<void> connection::log_in(const address& to, const rabbitmq_options& with) {
    user_ = to.user;
    const timeval timeout = to_timeval(with.timeout);
    amqp_set_handshake_timeout(state_, &timeout);
    amqp_set_rpc_timeout(state_, &timeout);

    std::array capabilities{entry("connection.blocked", true), entry("basic.nack", true),
                            entry("publisher_confirms", true),
                            entry("consumer_cancel_notify", true),
                            entry("authentication_failure_close", true)};
    std::array properties{entry("capabilities", amqp_table_t{static_cast<int>(capabilities.size()),
                                                             capabilities.data()}),
                          entry("product", std::string_view("orderproc")),
                          entry("connection_name", std::string_view(with.connection_name))};
    const amqp_table_t table{static_cast<int>(properties.size()), properties.data()};
    const amqp_rpc_reply_t reply = amqp_login_with_properties(
        state_, to.vhost.c_str(), 0, frame_max, static_cast<int>(with.heartbeat.count()), &table,
        AMQP_SASL_METHOD_PLAIN, to.user.c_str(), to.password.c_str());
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        return fail(std::string("no login: ") + amqp_error_string2(reply.library_error));
    }
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
        const auto* const why = static_cast<amqp_connection_close_t*>(reply.reply.decoded);
        return fail("no login: " + std::string(view(why->reply_text)));
    }
    logged_in_ = true;
    amqp_channel_open(state_, channel);
    return answered("channel.open");
}

result<void> connection::answered(std::string_view doing) {
    const amqp_rpc_reply_t reply = amqp_get_rpc_reply(state_);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
    const std::string what(doing);
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) {
        return fail(what + ": " + amqp_error_string2(reply.library_error));
    }
    std::uint16_t code = 0;
    std::string_view text;
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto* const why = static_cast<amqp_channel_close_t*>(reply.reply.decoded);
        code = why->reply_code;
        text = view(why->reply_text);
    } else if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto* const why = static_cast<amqp_connection_close_t*>(reply.reply.decoded);
        text = view(why->reply_text);
    }
    return fail(what + ": " + std::string(text),
                code == precondition_failed ? errc::schema_mismatch : errc::unavailable);
}

result<void> connection::declare_exchange(const std::string& name) {
    if (failure_) return *failure_;
    amqp_exchange_declare(state_, channel, bytes(name), amqp_cstring_bytes("topic"), 0, 1, 0, 0,
                          amqp_empty_table);
    return answered("exchange " + name);
}

result<void> connection::declare_queue(const queue_declaration& what, const std::string& exchange) {
    if (failure_) return *failure_;
    std::array arguments{entry("x-queue-type", std::string_view("quorum")),
                         entry("x-max-length", static_cast<std::int64_t>(what.length_max)),
                         entry("x-overflow", std::string_view("drop-head"))};
    const amqp_table_t table{what.length_max > 0 ? 3 : 1, arguments.data()};
    amqp_queue_declare(state_, channel, bytes(what.name), 0, 1, 0, 0, table);
    if (auto done = answered("queue " + what.name); !done) return done;
    for (const std::string& topic : what.topics) {
        amqp_queue_bind(state_, channel, bytes(what.name), bytes(exchange), bytes(topic),
                        amqp_empty_table);
        if (auto done = answered("queue " + what.name); !done) return done;
    }
    return {};
}

result<void> connection::select_confirms() {
    if (failure_) return *failure_;
    amqp_confirm_select(state_, channel);
    return answered("confirm.select");
}

result<void> connection::consume(const std::string& queue, std::uint16_t prefetch) {
    if (failure_) return *failure_;
    amqp_basic_qos(state_, channel, 0, prefetch, 0);
    if (auto done = answered("basic.qos"); !done) return done;
    amqp_basic_consume(state_, channel, bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    return answered("consuming " + queue);
}

result<bool> connection::next(milliseconds wait, amqp_frame_t& out) {
    if (failure_) return *failure_;
    using clock = std::chrono::steady_clock;
    const auto until = wait > milliseconds(0) ? clock::now() + wait : clock::time_point();
    for (;;) {
        amqp_maybe_release_buffers(state_);
        const timeval timeout = to_timeval(std::max(wait, milliseconds(0)));
        const int status = amqp_simple_wait_frame_noblock(state_, &out, &timeout);
        if (status == AMQP_STATUS_TIMEOUT) return false;
        if (status != AMQP_STATUS_OK) return fail(amqp_error_string2(status));
        if (out.channel != 0) return handle_channel_frame(out);
        bool unblocked = false;
        if (auto done = handle_connection_frame(out, unblocked); !done) {
            return std::move(done).error();
        }
        if (unblocked) return false;
        if (wait > milliseconds(0)) {
            wait = std::chrono::duration_cast<milliseconds>(until - clock::now());
        }
    }
}

result<void> connection::handle_connection_frame(const amqp_frame_t& frame, bool& unblocked) {
    if (frame.frame_type != AMQP_FRAME_METHOD) return {};
    switch (frame.payload.method.id) {
        case AMQP_CONNECTION_BLOCKED_METHOD:
            blocked_ = true;
            return {};
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            blocked_ = false;
            unblocked = true;
            return {};
        case AMQP_CONNECTION_CLOSE_METHOD: {
            const auto* const why =
                static_cast<amqp_connection_close_t*>(frame.payload.method.decoded);
            const failure out = fail(std::string(view(why->reply_text)));
            amqp_connection_close_ok_t ok{};
            amqp_send_method(state_, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
            return out;
        }
        default:
            return {};
    }
}

result<bool> connection::handle_channel_frame(const amqp_frame_t& frame) {
    if (frame.frame_type != AMQP_FRAME_METHOD) return true;
    if (frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto* const why = static_cast<amqp_channel_close_t*>(frame.payload.method.decoded);
        return fail(std::string(view(why->reply_text)));
    }
    if (frame.payload.method.id == AMQP_BASIC_CANCEL_METHOD) return fail("the queue is gone");
    return true;
}

std::size_t connection::frame_bytes() const noexcept {
    return static_cast<std::size_t>(amqp_get_frame_max(state_));
}

void connection::gather(bool on) noexcept {
    if (gathering_ == on) return;
    gathering_ = on;
    const int value = on ? 1 : 0;
    setsockopt(amqp_get_sockfd(state_), IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

connection::readiness connection::look() const noexcept {
    pollfd it{amqp_get_sockfd(state_), POLLIN | POLLOUT, 0};
    if (poll(&it, 1, 0) < 0) return {};
    // Linux says POLLOUT when at least a third of the buffer is free.
    return {(it.revents & POLLOUT) != 0, (it.revents & ~POLLOUT) != 0 ||
                                             amqp_data_in_buffer(state_) ||
                                             amqp_frames_enqueued(state_)};
}

}  // namespace orderproc::detail::rabbitmq
