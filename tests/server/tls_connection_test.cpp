// What a connection over TLS does beside its data, and when its socket is full.

#include "raw_tls.hpp"
#include "test_certificates.hpp"
#include "tls/tls_certificate.hpp"
#include "tls/tls_client.hpp"
#include "tls/tls_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace orderproc::server;
using namespace orderproc::server::testing;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t large = 600'000;  // more than the sockets and the connection hold
constexpr int small_buffer = 4096;

std::string varied(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; out.size() < size; ++i) out += std::to_string(i) + ' ';
    out.resize(size);
    return out;
}

// One stream, used on a thread of its own.
class user final : http::byte_stream_user {
public:
    user() : thread_([this] { context_.run(); }) {}
    ~user() {
        there([this] { stream_.reset(); });
        work_.reset();
        thread_.join();  // so what is behind the stream ends as well
    }

    asio::io_context& context() noexcept { return context_; }

    // On that thread, and waits for it.
    template <class Step>
    void there(Step step) {
        std::promise<void> done;
        asio::post(context_, [&] {
            step();
            done.set_value();
        });
        done.get_future().wait();
    }

    void take(std::unique_ptr<http::byte_stream> it) {
        there([&] { stream_ = std::move(it); });
    }
    bool readable() {
        bool out = false;
        there([&] { out = stream_->readable(); });
        return out;
    }

    struct got {
        error_code ec;
        std::string text;
    };
    std::future<got> read() {
        read_ = {};
        there([this] { stream_->read_some(asio::buffer(in_), *this); });
        return read_.get_future();
    }
    std::future<error_code> wait_writable() {
        sent_ = {};
        text_.clear();
        sent_size_ = 0;
        there([this] { stream_->wait_writable(*this); });
        return sent_.get_future();
    }
    // In pieces of such a size, many at a time. Returns as soon as it waits for room, or is done.
    std::future<error_code> send(std::string text, std::size_t piece) {
        sent_ = {};
        text_ = std::move(text);
        sent_size_ = 0;
        piece_ = piece;
        there([this] { write_on(); });
        return sent_.get_future();
    }
    std::size_t sent_size() {
        std::size_t out = 0;
        there([&] { out = sent_size_; });
        return out;
    }
    void cancel() {
        there([this] { stream_->cancel(); });
    }
    void shutdown() {
        there([this] {
            error_code ec;
            stream_->shutdown(ec);
            BOOST_TEST(!ec, ec.message());
        });
    }
    void close() {
        there([this] { stream_->close(); });
    }

private:
    void write_on() {
        while (sent_size_ < text_.size()) {
            std::vector<asio::const_buffer> pieces;
            for (std::size_t at = sent_size_; at < text_.size() && pieces.size() < 64;
                 at += piece_) {
                pieces.push_back(
                    asio::buffer(text_.data() + at, std::min(piece_, text_.size() - at)));
            }
            error_code ec;
            const std::size_t size = stream_->write_some(pieces, ec);
            sent_size_ += size;
            if (ec == asio::error::would_block) {
                if (size != 0) return sent_.set_value(asio::error::fault);  // against its contract
                return stream_->wait_writable(*this);
            }
            if (ec) return sent_.set_value(ec);
        }
        sent_.set_value({});
    }
    void on_read(error_code ec, std::size_t size) noexcept override {
        read_.set_value({ec, std::string(in_.data(), ec ? 0 : size)});
    }
    void on_writable(error_code ec) noexcept override {
        if (ec || text_.empty()) return sent_.set_value(ec);
        write_on();
    }

    asio::io_context context_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
        context_.get_executor()};
    std::unique_ptr<http::byte_stream> stream_;
    std::array<char, 4096> in_{};
    std::promise<got> read_;
    std::promise<error_code> sent_;
    std::string text_;
    std::size_t sent_size_ = 0;
    std::size_t piece_ = 1;
    std::thread thread_;  // the last member: it uses the others
};

using context_pointer = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

struct fixture {
    fixture() {
        const auto files = ca.issue({"orders", "DNS:shop.example"});
        certificate.certificate = files.certificate;
        certificate.key = files.key;
        with = tls::load_certificate(certificate).value();
        acceptor.set_option(asio::socket_base::send_buffer_size(small_buffer));
    }

    tcp::socket connected_socket() {
        tcp::socket out(elsewhere);
        out.open(tcp::v4());
        out.set_option(asio::socket_base::receive_buffer_size(small_buffer));
        out.connect(acceptor.local_endpoint());
        return out;
    }
    // The server is a stream of ours, and the handshake is still to come.
    std::unique_ptr<raw_tls> connect(int version = TLS1_3_VERSION) {
        SSL_CTX_set_min_proto_version(trusting.get(), version);
        SSL_CTX_set_max_proto_version(trusting.get(), version);
        auto client = std::make_unique<raw_tls>(trusting.get(), connected_socket());
        SSL_set_connect_state(client->native());
        server.take(tls::make_tls_stream(acceptor.accept(server.context()), with, handshakes));
        return client;
    }
    // And says "ask", which the server reads.
    std::unique_ptr<raw_tls> meet(int version = TLS1_3_VERSION) {
        auto client = connect(version);
        auto asked = server.read();
        BOOST_REQUIRE(client->shake_hands());
        client->write("ask");
        BOOST_REQUIRE(asked.get().text == "ask");
        return client;
    }

    authority ca;
    tls::certificate_files certificate;
    std::shared_ptr<asio::ssl::context> with;
    context_pointer trusting{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    tls::handshake_counts handshakes;
    asio::io_context elsewhere;
    user server;
    tcp::acceptor acceptor{elsewhere, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tls_connection, fixture)

BOOST_AUTO_TEST_CASE(a_handshake_may_come_byte_by_byte) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto client = connect(version);
        auto asked = server.read();
        std::size_t most = 0;
        const auto turn = [&] {  // the server sees what has come so far
            server.there([&] { most = std::max(most, handshakes.under_way.load()); });
        };
        BOOST_REQUIRE(client->shake_hands({1, turn}));
        client->write("ask");
        BOOST_TEST(asked.get().text == "ask");
        BOOST_TEST(most == 1U);
        BOOST_TEST(handshakes.under_way == 0U);
        BOOST_TEST(handshakes.failed == 0U);
        server.close();
    }
}

BOOST_AUTO_TEST_CASE(many_small_buffers_are_one_record) {
    const auto client = meet(TLS1_2_VERSION);
    const std::string text = varied(6000);
    auto sent = server.send(text, 100);
    BOOST_TEST((client->read(text.size()) == text));
    BOOST_TEST(!sent.get());
    BOOST_TEST(client->records_of_data == 1);
}

// Whole ones are sent as they are, beside what is gathered.
BOOST_AUTO_TEST_CASE(a_write_goes_on_when_there_is_room_again) {
    for (const std::size_t piece :
         {std::size_t{300}, std::size_t{7000}, std::size_t{40'000}, large}) {
        const auto client = meet();
        const std::string text = varied(large);
        auto sent = server.send(text, piece);
        BOOST_TEST(server.sent_size() < large);  // the client reads nothing
        BOOST_TEST((client->read(large) == text));
        BOOST_TEST(!sent.get());
        server.shutdown();
        BOOST_TEST(client->read(1).empty());
        BOOST_TEST(client->ended());
        server.close();
    }
}

BOOST_AUTO_TEST_CASE(shutdown_does_not_overtake_what_was_written) {
    const auto client = meet();
    const std::string text = varied(60'000);
    BOOST_TEST(!server.send(text, text.size()).get());
    server.shutdown();
    BOOST_TEST((client->read(text.size() + 1) == text));
    BOOST_TEST(client->ended());
    client->bid_farewell();
    BOOST_TEST(server.read().get().ec == asio::error::eof);
}

// The answer to it is sent between what was written before and what comes behind.
BOOST_AUTO_TEST_CASE(keys_are_updated_within_a_large_answer) {
    const auto client = meet();
    const std::string text = varied(large);
    auto more = server.read();
    auto sent = server.send(text, 7000);
    BOOST_TEST(client->update_key());
    BOOST_TEST(client->update_key());
    BOOST_TEST(client->write("more"));
    BOOST_TEST(more.get().text == "more");
    BOOST_TEST((client->read(large) == text));
    BOOST_TEST(!sent.get());
    BOOST_TEST(client->key_updates >= 1);
    more = server.read();
    BOOST_TEST(client->write("and more"));
    BOOST_TEST(more.get().text == "and more");
}

BOOST_AUTO_TEST_CASE(answers_to_key_updates_have_a_bound) {
    const auto client = meet();
    auto read = server.read();
    const auto over = [&] {
        return read.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    int count = 0;
    while (count < 100'000 && !over() && client->update_key()) ++count;
    BOOST_TEST(count < 100'000);
    BOOST_TEST(read.get().ec == asio::error::no_buffer_space);
    BOOST_TEST(server.send("x", 1).get() == asio::error::no_buffer_space);
}

BOOST_AUTO_TEST_CASE(a_reset_ends_a_write_that_waits) {
    const auto client = meet();
    auto sent = server.send(varied(large), 7000);
    client->reset();
    const error_code ec = sent.get();
    BOOST_TEST((ec == asio::error::connection_reset || ec == asio::error::broken_pipe),
               ec.message());
    BOOST_TEST(server.read().get().ec.failed());
}

// As a peer that closes with everything read: the next write reaches nobody, and the one behind it
// would raise SIGPIPE.
BOOST_AUTO_TEST_CASE(writing_to_a_peer_that_has_gone_raises_no_signal) {
    const auto before = std::signal(SIGPIPE, SIG_DFL);
    const auto client = meet();
    while (client->socket().available() > 0) {  // the tickets
        std::array<char, 1024> part;
        client->socket().read_some(asio::buffer(part));
    }
    client->socket().close();
    error_code ec;
    while (!ec) ec = server.send("x", 1).get();
    BOOST_TEST(ec == asio::error::broken_pipe, ec.message());
    std::signal(SIGPIPE, before);
}

BOOST_AUTO_TEST_CASE(cancel_ends_what_is_under_way_and_not_what_was_written) {
    const auto client = meet();
    const std::string text = varied(large);
    auto read = server.read();
    auto sent = server.send(text, large);
    server.cancel();
    BOOST_TEST(read.get().ec == asio::error::operation_aborted);
    BOOST_TEST(sent.get() == asio::error::operation_aborted);
    const std::size_t begun = server.sent_size();
    read = server.read();
    sent = server.send(text.substr(begun), large);
    BOOST_TEST((client->read(large) == text));
    BOOST_TEST(!sent.get());
    client->write("more");
    BOOST_TEST(read.get().text == "more");
}

BOOST_AUTO_TEST_CASE(an_end_without_a_farewell_and_one_with_it) {
    for (const bool announced : {false, true}) {
        const auto client = meet();
        if (announced) client->bid_farewell();
        client->socket().shutdown(tcp::socket::shutdown_send);
        BOOST_TEST(server.read().get().ec == asio::error::eof);
        BOOST_TEST(!server.send("answer", 6).get());  // which may follow the end
        BOOST_TEST(server.read().get().ec == asio::error::eof);
        server.close();
        BOOST_TEST(client->read(7) == "answer");
        BOOST_TEST(client->ended());
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_broken_off_does_not_look_whole) {
    const auto client = meet();
    BOOST_TEST(!server.send("half", 4).get());
    server.close();
    BOOST_TEST(client->read(5) == "half");
    BOOST_TEST(!client->ended());
}

// What the socket had no room for is still sent, and no farewell behind it.
BOOST_AUTO_TEST_CASE(nor_does_one_of_which_some_waited_for_room) {
    const auto client = meet();
    auto sent = server.send(varied(large), large);
    const std::size_t begun = server.sent_size();
    BOOST_TEST(begun < large);  // the client reads nothing
    server.close();
    BOOST_TEST(sent.get() == asio::error::operation_aborted);
    BOOST_TEST(client->read(large).size() <= begun);
    BOOST_TEST(!client->ended());
}

// One record each, in one piece, of which the socket is read just once.
BOOST_AUTO_TEST_CASE(a_read_ends_although_there_is_more) {
    constexpr std::size_t records = 2000;
    const auto client = meet();
    for (std::size_t i = 0; i < records; ++i) SSL_write(client->native(), "x", 1);
    BOOST_REQUIRE(client->send(client->take_output()));
    auto got = server.read().get();
    BOOST_TEST(got.text.size() < records / 2);
    std::size_t all = got.text.size();
    while (!got.ec && all < records) {
        got = server.read().get();
        all += got.text.size();
    }
    BOOST_TEST(all == records);
}

BOOST_AUTO_TEST_CASE(tickets_resume_a_session) {
    SSL_SESSION* kept = nullptr;
    for (const bool resumed : {false, true}) {
        const auto client = connect();
        if (kept) SSL_set_session(client->native(), kept);
        auto asked = server.read();
        BOOST_REQUIRE(client->shake_hands());
        client->write("ask");
        BOOST_TEST(asked.get().text == "ask");
        BOOST_TEST(SSL_session_reused(client->native()) == (resumed ? 1 : 0));
        BOOST_TEST(!server.send("answer", 6).get());
        BOOST_TEST(client->read(6) == "answer");  // behind the tickets
        if (!kept) kept = SSL_get1_session(client->native());
        client->bid_farewell();
        server.close();
    }
    SSL_SESSION_free(kept);
}

namespace {

int add_much(SSL* of, void*) {
    const std::string much(3000, 'x');
    return SSL_SESSION_set1_ticket_appdata(SSL_get0_session(of), much.data(), much.size());
}

}  // namespace

// A ticket that fills several records. OpenSSL writes nothing while it has read but a part of it.
BOOST_AUTO_TEST_CASE(a_client_writes_once_a_ticket_has_come_whole) {
    SSL_CTX* const native = with->native_handle();
    SSL_CTX_set_session_ticket_cb(native, add_much, nullptr, nullptr);
    SSL_CTX_set_max_send_fragment(native, 512);
    SSL_CTX_set_num_tickets(native, 1);
    tls::client_files files;
    files.ca = ca.certificate();
    const auto maker = tls::make_client(files).value();
    user client;
    tcp::socket mine(client.context());
    mine.connect(acceptor.local_endpoint());
    raw_tls peer(native, acceptor.accept());
    SSL_set_accept_state(peer.native());
    client.take(maker->make(std::move(mine), "shop.example"));
    auto opened = client.wait_writable();
    SSL_set_num_tickets(peer.native(), 0);
    BOOST_REQUIRE(peer.shake_hands());
    BOOST_TEST(!opened.get());
    BOOST_REQUIRE(SSL_new_session_ticket(peer.native()) == 1);
    SSL_do_handshake(peer.native());
    const std::string ticket = peer.take_output();
    BOOST_REQUIRE(ticket.size() > 2000U);
    const std::size_t length =
        static_cast<unsigned char>(ticket[3]) * 256U + static_cast<unsigned char>(ticket[4]);
    const std::string some = ticket.substr(0, 5 + length);  // one record
    auto read = client.read();
    BOOST_REQUIRE(peer.send(some));
    while (client.readable()) {  // until it is taken
    }
    auto sent = client.send("ask", 3);
    BOOST_REQUIRE(peer.send(std::string_view(ticket).substr(some.size())));
    BOOST_TEST(peer.read(3) == "ask");
    BOOST_TEST(!sent.get());
    peer.write("answer");
    BOOST_TEST(read.get().text == "answer");
}

BOOST_AUTO_TEST_SUITE_END()
