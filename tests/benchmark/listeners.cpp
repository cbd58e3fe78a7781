// Listens to the live feed of a server on this machine, many times over, and posts orders at a
// steady rate meanwhile: do all keep up?
//   listeners PORT TARGET COUNT SECONDS RATE
// One listener reads its events and notes how late they come; the others let the kernel drop
// what they get, so that most of the machine is left to the server. TARGET may have {n}: the
// number of the listener. RATE 0: posts nothing, listens until the time is over.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

int connect_to(std::uint16_t port) {
    const int out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (out < 0 || ::connect(out, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    return out;
}

void send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            std::perror("send");
            std::exit(1);
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

struct listener {
    int fd = -1;
    std::uint64_t bytes = 0;
    bool dropped = false;
};

class listeners {
public:
    listeners(std::uint16_t port, const std::string& target, std::size_t count) : all_(count) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        for (std::size_t i = 0; i < count; ++i) {
            std::string path = target;
            if (const auto at = path.find("{n}"); at != path.npos) {
                path.replace(at, 3, std::to_string(i));
            }
            all_[i].fd = connect_to(port);
            send_all(all_[i].fd, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
            read_head(all_[i].fd);
            ::fcntl(all_[i].fd, F_SETFL, O_NONBLOCK);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, all_[i].fd, &event);
        }
    }

    void turn() {
        epoll_event events[256];
        const int n = ::epoll_wait(epoll_, events, 256, 20);
        for (int i = 0; i < n; ++i) receive(events[i].data.u64);
    }

    std::size_t seen() const { return seen_; }
    const std::vector<listener>& all() const { return all_; }
    std::vector<double> late_ms;
    // When each of the posts was sent.
    void posted(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        sent_[number] = steady::now();
    }

private:
    static void read_head(int from) {
        std::string text;
        char byte;
        while (!text.ends_with("\r\n\r\n")) {
            if (::recv(from, &byte, 1, 0) != 1) {
                std::fprintf(stderr, "no answer: %s\n", text.c_str());
                std::exit(1);
            }
            text.push_back(byte);
        }
        if (!text.starts_with("HTTP/1.1 200")) {
            std::fprintf(stderr, "%s\n", text.c_str());
            std::exit(1);
        }
    }

    void receive(std::size_t which) {
        listener& it = all_[which];
        static char buffer[1 << 20];
        const auto size = ::recv(it.fd, buffer, sizeof buffer, which == 0 ? 0 : MSG_TRUNC);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) {
            it.dropped = true;
            ::close(it.fd);
            return;
        }
        it.bytes += static_cast<std::uint64_t>(size);
        if (which == 0) witness({buffer, static_cast<std::size_t>(size)});
    }

    void witness(std::string_view bytes) {
        text_.append(bytes);
        constexpr std::string_view mark = "\ndata: ";
        constexpr std::string_view created = R"("event":"create")";
        std::size_t at = 0;
        for (auto next = text_.find(mark); next != text_.npos; next = text_.find(mark, at)) {
            const auto end = text_.find("\n\n", next);
            if (end == text_.npos) break;
            ++seen_;
            const std::string_view event(text_.data() + next, end - next);
            if (event.find(created) != event.npos) arrived(event);
            at = end;
        }
        text_.erase(0, at);
    }

    void arrived(std::string_view event) {
        constexpr std::string_view subject = R"("subject":"L)";
        const auto at = event.find(subject);
        if (at == event.npos) return;
        const auto number = std::strtoull(event.data() + at + subject.size(), nullptr, 10);
        const std::lock_guard lock(mutex_);
        const auto found = sent_.find(number);
        if (found == sent_.end()) return;
        late_ms.push_back(
            std::chrono::duration<double, std::milli>(steady::now() - found->second).count());
        sent_.erase(found);
    }

    int epoll_;
    std::vector<listener> all_;
    std::string text_;
    std::size_t seen_ = 0;
    std::mutex mutex_;
    std::map<std::uint64_t, steady::time_point> sent_;
};

// A batch every ten milliseconds; reads the answers on the side.
void post(std::uint16_t port, int seconds, int rate, listeners& told,
          std::atomic<std::uint64_t>& answered) {
    const int to = connect_to(port);
    std::thread reading([&, to] {
        char buffer[1 << 16];
        std::string text;
        constexpr std::string_view created = R"({"status":201)";
        for (ssize_t n; (n = ::recv(to, buffer, sizeof buffer, 0)) > 0;) {
            text.append(buffer, static_cast<std::size_t>(n));
            std::size_t at = 0;
            for (auto next = text.find(created); next != text.npos; next = text.find(created, at)) {
                ++answered;
                at = next + created.size();
            }
            text.erase(0, std::max(at, text.size() - std::min(text.size(), created.size() - 1)));
        }
    });
    const std::string run = std::to_string(::getpid()) + '.';
    const auto begin = steady::now();
    std::uint64_t number = 0;
    for (int slice = 0; slice < seconds * 100; ++slice) {
        std::this_thread::sleep_until(begin + slice * std::chrono::milliseconds(10));
        std::string body;
        for (int i = 0; i < rate / 100; ++i) {
            body += R"({"order_id":"L)" + std::to_string(++number) + '.' + run +
                    R"(","user_id":123,"item_ids":[1001,1002,1003],"total_amount":149.99})"
                    "\n";
            told.posted(number);
        }
        send_all(to,
                 "POST /orders/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                 "application/x-ndjson\r\n"
                 "Content-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    ::shutdown(to, SHUT_WR);
    reading.join();
    ::close(to);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 6) {
        std::fprintf(stderr, "usage: listeners PORT TARGET COUNT SECONDS RATE\n");
        return 2;
    }
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const auto port = static_cast<std::uint16_t>(std::atoi(arguments[1]));
    const int seconds = std::atoi(arguments[4]);
    const int rate = std::atoi(arguments[5]);
    listeners all(port, arguments[2], std::strtoul(arguments[3], nullptr, 10));
    std::printf("%zu listen\n", all.all().size());
    std::fflush(stdout);

    std::atomic<std::uint64_t> answered{0};
    std::atomic<bool> over{false};
    std::thread posting([&] {
        if (rate > 0) {
            post(port, seconds, rate, all, answered);
        } else {
            std::this_thread::sleep_for(std::chrono::seconds(seconds));
        }
        over = true;
    });
    const auto begin = steady::now();
    while (!over) all.turn();
    const std::chrono::duration<double> posted = steady::now() - begin;
    // What is still under way: until nothing comes for a second.
    std::uint64_t before = 1, now = 0;
    auto quiet = steady::now();
    while (rate > 0 && steady::now() - quiet < std::chrono::seconds(1)) {
        all.turn();
        now = 0;
        for (const listener& it : all.all()) now += it.bytes;
        if (now != before) quiet = steady::now();
        before = now;
    }
    posting.join();

    std::uint64_t least = ~std::uint64_t{0}, most = 0, sum = 0;
    std::size_t dropped = 0;
    for (const listener& it : all.all()) {
        least = std::min(least, it.bytes);
        most = std::max(most, it.bytes);
        sum += it.bytes;
        dropped += it.dropped;
    }
    std::sort(all.late_ms.begin(), all.late_ms.end());
    const auto late = [&](double part) {
        const auto at = static_cast<std::size_t>(static_cast<double>(all.late_ms.size()) * part);
        return all.late_ms.empty() ? 0.0 : all.late_ms[std::min(at, all.late_ms.size() - 1)];
    };
    std::printf(
        "posted %llu orders at %.0f/s; the first listener saw %zu events, "
        "%.1f ms late (p50), %.1f (p99), %.1f (most)\n",
        static_cast<unsigned long long>(answered.load()),
        static_cast<double>(answered.load()) / posted.count(), all.seen(), late(0.5), late(0.99),
        late(1));
    std::printf("%zu of %zu dropped; %.1f MiB each (least %.1f), %.0f MiB/s in all\n", dropped,
                all.all().size(), static_cast<double>(most) / (1 << 20),
                static_cast<double>(least) / (1 << 20),
                static_cast<double>(sum) / (1 << 20) / posted.count());
    return dropped == 0 ? 0 : 1;
}
