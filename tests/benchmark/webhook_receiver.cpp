// A receiver of webhooks that costs little, so that it is the sender that is measured.
//   webhook_receiver [THINK_US]
// Prints the port that it listens on, on this machine alone. POST anywhere: 204, after THINK_US
// microseconds; below /hang: never answered. GET /count: how many came since the last report. GET
// /report: the same, how many of them are different, the seconds from the first one to the last,
// and how late they came after they were journaled, in milliseconds; all as JSON.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::microseconds;

struct connection {
    int fd = -1;
    std::uint64_t number = 0;
    std::string in;
};

struct request {
    std::string_view target, id, body;
    std::size_t size = 0;
};

std::string_view field(std::string_view head, std::string_view name) {
    for (auto at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
        std::string_view line = head.substr(at + 2);
        line = line.substr(0, line.find("\r\n"));
        if (line.size() <= name.size() || line[name.size()] != ':') continue;
        if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
        line.remove_prefix(name.size() + 1);
        return line.substr(std::min(line.find_first_not_of(' '), line.size()));
    }
    return {};
}

// The first request, once it is whole.
std::optional<request> parse(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == text.npos) return std::nullopt;
    const std::string_view head = text.substr(0, end);
    const std::string_view length = field(head, "content-length");
    std::size_t body = 0;
    std::from_chars(length.data(), length.data() + length.size(), body);
    request out;
    out.size = end + 4 + body;
    if (text.size() < out.size) return std::nullopt;
    const auto target = head.find(' ') + 1;
    out.target = head.substr(target, head.find(' ', target) - target);
    out.id = field(head, "webhook-id");
    out.body = text.substr(end + 4, body);
    return out;
}

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
    int out = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, out);
    return out;
}

// Milliseconds since the time that the event gives (2026-01-02T03:04:05.678Z) as its own.
std::optional<double> lateness(std::string_view body) {
    constexpr std::string_view mark = R"("time":")";
    constexpr std::size_t size = 24;
    const auto at = body.find(mark);
    if (at == body.npos || body.size() < at + mark.size() + size) return std::nullopt;
    const std::string_view text = body.substr(at + mark.size(), size);
    std::tm parts{};
    parts.tm_year = number_at(text, 0, 4) - 1900;
    parts.tm_mon = number_at(text, 5, 2) - 1;
    parts.tm_mday = number_at(text, 8, 2);
    parts.tm_hour = number_at(text, 11, 2);
    parts.tm_min = number_at(text, 14, 2);
    parts.tm_sec = number_at(text, 17, 2);
    const auto told = std::chrono::system_clock::from_time_t(timegm(&parts)) +
                      std::chrono::milliseconds(number_at(text, 20, 3));
    return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now() - told)
        .count();
}

class receiver {
public:
    explicit receiver(microseconds think) : think_(think) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        listens_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const address = reinterpret_cast<sockaddr*>(&at);
        if (::bind(listens_, address, size) != 0 || ::listen(listens_, 4096) != 0 ||
            ::getsockname(listens_, address, &size) != 0) {
            std::perror("listen");
            std::exit(1);
        }
        watch(listens_, nullptr);
        std::printf("listens on 127.0.0.1:%u\n", ntohs(at.sin_port));
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        for (;;) turn();
    }

private:
    void watch(int fd, connection* it) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = it;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    void turn() {
        epoll_event events[256];
        const int n = ::epoll_wait(epoll_, events, 256, due_.empty() ? -1 : 1);
        for (int i = 0; i < n; ++i) {
            if (events[i].data.ptr) {
                receive(*static_cast<connection*>(events[i].data.ptr));
            } else {
                accept_all();
            }
        }
        for (const auto now = steady::now(); !due_.empty() && due_.front().first <= now;
             due_.pop_front()) {
            const auto to = open_.find(due_.front().second);
            if (to != open_.end()) answer(*to->second);
        }
    }

    void accept_all() {
        for (int fd;
             (fd = ::accept4(listens_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            auto it = std::make_unique<connection>();
            it->fd = fd;
            it->number = ++accepted_;
            watch(fd, it.get());
            open_.emplace(it->number, std::move(it));
        }
    }

    void receive(connection& from) {
        static char buffer[1 << 16];
        const auto size = ::recv(from.fd, buffer, sizeof buffer, 0);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) {
            ::close(from.fd);
            open_.erase(from.number);
            return;
        }
        from.in.append(buffer, static_cast<std::size_t>(size));
        while (const auto it = parse(from.in)) {
            take(from, *it);
            from.in.erase(0, it->size);
        }
    }

    void take(connection& from, const request& it) {
        if (it.target == "/count")
            return tell(from, R"({"events":)" + std::to_string(ids_.size()) + "}");
        if (it.target == "/report") return report(from);
        if (it.target.starts_with("/hang")) return;
        const auto now = steady::now();
        if (ids_.empty()) first_ = now;
        last_ = now;
        ids_.push_back(std::hash<std::string_view>()(it.id.empty() ? it.body : it.id));
        if (const auto late = lateness(it.body)) late_ms_.push_back(*late);
        if (think_ == microseconds(0)) return answer(from);
        due_.emplace_back(now + think_, from.number);
    }

    static void answer(const connection& to) {
        constexpr std::string_view text = "HTTP/1.1 204 No Content\r\n\r\n";
        (void)!::send(to.fd, text.data(), text.size(), MSG_NOSIGNAL);
    }

    static void tell(const connection& to, const std::string& body) {
        const std::string text =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body;
        (void)!::send(to.fd, text.data(), text.size(), MSG_NOSIGNAL);
    }

    void report(const connection& to) {
        const auto events = ids_.size();
        std::sort(ids_.begin(), ids_.end());
        const auto different =
            static_cast<std::size_t>(std::unique(ids_.begin(), ids_.end()) - ids_.begin());
        std::sort(late_ms_.begin(), late_ms_.end());
        const auto late = [&](double part) {
            const auto at = static_cast<std::size_t>(static_cast<double>(late_ms_.size()) * part);
            return late_ms_.empty() ? 0.0 : late_ms_[std::min(at, late_ms_.size() - 1)];
        };
        char body[256];
        std::snprintf(
            body, sizeof body,
            R"({"events":%zu,"different":%zu,"seconds":%.6f,"p50":%.1f,"p99":%.1f,"most":%.1f})",
            events, different, std::chrono::duration<double>(last_ - first_).count(), late(0.5),
            late(0.99), late(1));
        tell(to, body);
        ids_.clear();
        late_ms_.clear();
        first_ = last_ = {};
    }

    const microseconds think_;
    int epoll_, listens_;
    std::uint64_t accepted_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<connection>> open_;
    std::deque<std::pair<steady::time_point, std::uint64_t>> due_;  // answers
    std::vector<std::uint64_t> ids_;
    std::vector<double> late_ms_;
    steady::time_point first_, last_;
};

}  // namespace

int main(int count, char** arguments) {
    receiver(microseconds(count > 1 ? std::atoi(arguments[1]) : 0)).run();
}
