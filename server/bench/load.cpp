#include "bench/load.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view id_mark = "{id}";
constexpr std::string_view user_mark = "{user}";
constexpr std::uint64_t users = 100;
constexpr std::size_t refusal_shown = 400;

// SplitMix64's mixer: a bijection, so ids of one seed never repeat.
std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

void put(std::string_view mark, const std::string& what, std::string& text) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.replace(at, mark.size(), what);
        at += what.size();
    }
}

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

struct answer_head {
    int status = 0;
    std::size_t size = 0;  // head and body
    bool closes = false;
};

// What a complete head says; none while it is incomplete.
std::optional<answer_head> parse_head(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos || end < 12) return std::nullopt;
    answer_head out;
    std::from_chars(text.data() + 9, text.data() + 12, out.status);
    std::size_t length = 0;
    for (auto at = text.find("\r\n"); at < end; at = text.find("\r\n", at + 2)) {
        const std::string_view line = text.substr(at + 2, end - at);
        constexpr std::string_view content_length = "content-length:";
        if (strncasecmp(line.data(), content_length.data(), content_length.size()) == 0) {
            const char* digits = line.data() + content_length.size();
            while (*digits == ' ') ++digits;
            std::from_chars(digits, text.data() + text.size(), length);
        } else if (strncasecmp(line.data(), "connection: close", 17) == 0) {
            out.closes = true;
        }
    }
    out.size = end + 4 + length;
    return out;
}

class load {
public:
    explicit load(const load_options& options)
        : options_(options), random_(mix(options.id_seed + 0x9e3779b97f4a7c15U)) {}

    result<load_result> run() {
        epoll_ = descriptor(::epoll_create1(EPOLL_CLOEXEC));
        connections_.resize(options_.connections);
        began_ = steady::now();
        last_progress_ = began_;
        for (auto& it : connections_) {
            if (!open(it)) return failure{errc::unavailable, "nobody listens there"};
        }
        for (auto& it : connections_) go_on(it);
        while (active_ > 0 || (options_.rate > 0 && !over())) turn();
        out_.elapsed = steady::now() - began_;
        std::sort(out_.latencies_us.begin(), out_.latencies_us.end());
        std::sort(out_.accepted_us.begin(), out_.accepted_us.end());
        return std::move(out_);
    }

private:
    struct connection {
        descriptor socket;
        std::string out, in;
        std::size_t sent = 0;
        steady::time_point since;
        bool busy = false;
        bool writing = false;
    };

    bool open(connection& it) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options_.port);
        ::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr);
        descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!socket ||
            ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            return false;
        }
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &it;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event);
        it.socket = std::move(socket);
        it.in.clear();
        it.writing = false;
        return true;
    }

    bool over() const {
        if (options_.requests != 0 && issued_ >= options_.requests) return true;
        return steady::now() - began_ >= options_.duration;
    }

    steady::time_point due_at() const {  // the next request
        if (options_.rate <= 0) return steady::now();
        const std::chrono::duration<double> since(static_cast<double>(issued_) / options_.rate);
        return began_ + std::chrono::duration_cast<steady::duration>(since);
    }

    // The connection is free.
    void go_on(connection& it) {
        if (it.busy) --active_;
        it.busy = false;
        if (over()) return;
        if (options_.rate > 0 && due_at() > steady::now()) {
            idle_.push_back(&it);
        } else {
            issue(it);
        }
    }

    void issue(connection& it) {
        it.since = due_at();
        std::uint64_t number = issued_++;
        if (options_.ids_known != 0) number = (random_ = mix(random_ + 1)) % options_.ids_known;
        const std::string id = load_order_id(options_.id_seed, number);
        std::string target = options_.target;
        std::string body = options_.body;
        put(id_mark, id, target);
        put(id_mark, id, body);
        put(user_mark, std::to_string(number % users + 1), body);
        it.out = options_.method + ' ' + target + " HTTP/1.1\r\nHost: " + options_.host + "\r\n";
        if (!options_.token.empty()) {
            it.out += "Authorization: Bearer " + options_.token + "\r\n";
        }
        if (!body.empty()) {
            it.out +=
                "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n";
        }
        it.out += "\r\n" + body;
        it.in.clear();
        it.sent = 0;
        it.busy = true;
        ++active_;
        send(it);
    }

    void send(connection& it) {
        while (it.sent < it.out.size()) {
            const auto n = ::send(it.socket.get(), it.out.data() + it.sent, it.out.size() - it.sent,
                                  MSG_NOSIGNAL);
            if (n > 0) {
                it.sent += static_cast<std::size_t>(n);
                continue;
            }
            if (n < 0 && errno == EAGAIN) watch_writing(it, true);
            return;  // a broken connection is noticed by the reading side
        }
        watch_writing(it, false);
    }

    void watch_writing(connection& it, bool on) {
        if (it.writing == on) return;
        it.writing = on;
        epoll_event event{};
        event.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN;
        event.data.ptr = &it;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, it.socket.get(), &event);
    }

    void turn() {
        while (!idle_.empty() && !over() && due_at() <= steady::now()) {
            connection& it = *idle_.back();
            idle_.pop_back();
            issue(it);
        }
        epoll_event events[256];
        const int n = ::epoll_wait(epoll_.get(), events, 256, options_.rate > 0 ? 1 : 100);
        for (int i = 0; i < n; ++i) {
            auto& it = *static_cast<connection*>(events[i].data.ptr);
            if (events[i].events & EPOLLOUT) send(it);
            if (events[i].events & ~std::uint32_t{EPOLLOUT}) receive(it);
        }
        const auto now = steady::now();
        if (options_.progress && now - last_progress_ >= std::chrono::seconds(1)) {
            last_progress_ = now;
            options_.progress(out_.latencies_us.size());
        }
        if (now - began_ > options_.duration + std::chrono::seconds(10)) {  // answers never came
            out_.broken += active_;
            active_ = 0;
        }
    }

    void receive(connection& it) {
        char buffer[64 * 1024];
        const auto n = ::recv(it.socket.get(), buffer, sizeof buffer, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            if (it.busy) ++out_.broken;
            again(it);
            return;
        }
        it.in.append(buffer, static_cast<std::size_t>(n));
        const auto head = parse_head(it.in);
        if (!head || it.in.size() < head->size) return;
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - it.since);
        out_.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
        if (head->status / 100 == 2) {
            ++out_.succeeded;
            out_.accepted_us.push_back(out_.latencies_us.back());
        } else if (out_.refused++ == 0) {
            out_.first_refusal = it.in.substr(0, refusal_shown);
        }
        if (head->closes) {
            again(it);
        } else {
            go_on(it);
        }
    }

    // On a new connection; if nobody listens any more, this one is given up.
    void again(connection& it) {
        it.socket = descriptor();
        std::erase(idle_, &it);
        if (!over() && open(it)) {
            go_on(it);
        } else if (it.busy) {
            it.busy = false;
            --active_;
        }
    }

    const load_options& options_;
    std::uint64_t random_;
    descriptor epoll_;
    std::vector<connection> connections_;
    std::vector<connection*> idle_;  // with a rate: those that wait for the next request
    std::size_t active_ = 0;
    std::uint64_t issued_ = 0;
    steady::time_point began_, last_progress_;
    load_result out_;
};

}  // namespace

double load_result::per_second() const {
    return static_cast<double>(latencies_us.size()) /
           std::chrono::duration<double>(elapsed).count();
}

std::uint32_t load_result::percentile(double fraction) const {
    return percentile_of(latencies_us, fraction);
}

std::uint32_t percentile_of(const std::vector<std::uint32_t>& ascending, double fraction) {
    if (ascending.empty()) return 0;
    const auto at = static_cast<std::size_t>(static_cast<double>(ascending.size()) * fraction);
    return ascending[std::min(at, ascending.size() - 1)];
}

std::string load_order_id(std::uint64_t seed, std::uint64_t number) {
    constexpr char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::uint64_t value = mix((seed << 32) + number);
    std::string out = "ORD-";
    for (int i = 0; i < 13; ++i, value >>= 5) out += digits[value & 31];
    return out;
}

result<load_result> run_load(const load_options& options) {
    if (!options.host.starts_with("127.")) {
        return failure{errc::invalid_argument, "the load generator speaks to 127.0.0.1 alone"};
    }
    return load(options).run();
}

}  // namespace orderproc::server
