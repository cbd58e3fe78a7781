#ifndef ORDERPROC_TESTS_SERVER_CLIENT_HPP
#define ORDERPROC_TESTS_SERVER_CLIENT_HPP

// A blocking HTTP client that sends whatever bytes a test wants.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server::testing {

struct answer {
    int status = 0;
    std::string head;  // status line and fields
    std::string body;

    // The value of a field; none if it is not there.
    std::optional<std::string> find(std::string_view name) const {
        const std::string line = "\r\n" + std::string(name) + ": ";
        const auto at = head.find(line);
        if (at == head.npos) return std::nullopt;
        const auto begin = at + line.size();
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
    bool says(std::string_view text) const { return body.find(text) != body.npos; }
};

class client {
public:
    explicit client(std::uint16_t port, int receive_buffer = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval timeout{20, 0};  // only a failing test waits for it
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        if (receive_buffer > 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error("cannot connect");
        }
    }
    client(client&& from) noexcept : fd_(std::exchange(from.fd_, -1)), in_(std::move(from.in_)) {}
    client& operator=(client&&) = delete;
    ~client() {
        if (fd_ >= 0) ::close(fd_);
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) return;  // the server has had enough: what it said can be read
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void finish_sending() { ::shutdown(fd_, SHUT_WR); }

    // Closes with a reset, as a client that dies does.
    void reset() {
        const linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(std::exchange(fd_, -1));
    }

    // The next answer; status 0 if the connection ends before it.
    answer read(bool with_body = true) {
        answer out;
        std::size_t end;
        while ((end = in_.find("\r\n\r\n")) == in_.npos) {
            if (!receive()) return out;
        }
        out.head = in_.substr(0, end + 2);
        in_.erase(0, end + 4);
        out.status = std::stoi(out.head.substr(9, 3));
        const auto length = out.find("Content-Length");
        const std::size_t size = with_body && length ? std::stoul(*length) : 0;
        while (in_.size() < size) {
            if (!receive()) return {};
        }
        out.body = in_.substr(0, size);
        in_.erase(0, size);
        return out;
    }
    answer ask(std::string_view bytes) {
        send(bytes);
        return read();
    }

    // Reads so many bytes and drops them.
    void take(std::size_t size) {
        while (in_.size() < size && receive()) {
        }
        in_.erase(0, std::min(size, in_.size()));
    }

    // Reads a body of unknown length until the text was in it; what was read of it so far. Takes
    // chunks (RFC 9112, 7.1) apart if the head said so.
    std::string read_until(std::string_view text, const answer& of) {
        const bool chunked = of.find("Transfer-Encoding").has_value();
        for (;;) {
            if (chunked) {
                take_chunks();
            } else {
                streamed_ += std::exchange(in_, {});
            }
            if (streamed_.find(text) != streamed_.npos || ended_ || !receive()) return streamed_;
        }
    }
    // The rest of such a body, up to its end. REQUIRES: chunked.
    std::string read_to_the_end() {
        for (take_chunks(); !ended_ && receive(); take_chunks()) {
        }
        return streamed_;
    }
    bool saw_the_end() const { return ended_; }

    // Waits for the server to close; false if it sends something else, or nothing for long.
    bool closed() {
        if (!in_.empty()) return false;
        char byte;
        const auto size = ::recv(fd_, &byte, 1, 0);
        return size == 0 || (size < 0 && errno == ECONNRESET);
    }

private:
    bool receive() {
        char buffer[65536];
        const auto size = ::recv(fd_, buffer, sizeof buffer, 0);
        if (size <= 0) return false;
        in_.append(buffer, static_cast<std::size_t>(size));
        return true;
    }

    void take_chunks() {
        while (!ended_) {
            const auto line = in_.find("\r\n");
            if (line == in_.npos) return;
            const std::size_t size = std::stoul(in_.substr(0, line), nullptr, 16);
            if (in_.size() < line + 2 + size + 2) return;
            streamed_ += in_.substr(line + 2, size);
            in_.erase(0, line + 2 + size + 2);
            ended_ = size == 0;
        }
    }

    int fd_;
    std::string in_;
    std::string streamed_;
    bool ended_ = false;
};

}  // namespace orderproc::server::testing

#endif
