#ifndef ORDERPROC_TESTS_CONFORMANCE_POSTGRES_PROXY_HPP
#define ORDERPROC_TESTS_CONFORMANCE_POSTGRES_PROXY_HPP

// Stands between the clients and a server of PostgreSQL, on Unix sockets. It knows the protocol
// (postgresql.org/docs/15/protocol-message-formats.html) as far as it has to find the commit of a
// write, and can change what is said.

#include <orderproc/testing/server_cases.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// Changes a message: whose it is, its type and its body.
using message_edit = std::function<void(bool of_client, char type, std::string& body)>;

// Replaces text of the same length: a mutant of the SQL.
inline message_edit replacing(std::string what, std::string with) {
    with.resize(what.size(), ' ');
    return [what = std::move(what), with = std::move(with)](bool, char, std::string& body) {
        for (auto at = body.find(what); at != body.npos; at = body.find(what, at + 1)) {
            body.replace(at, what.size(), with);
        }
    };
}

class postgres_proxy {
public:
    using fault = orderproc::testing::connection_fault;

    explicit postgres_proxy(std::string server, std::optional<fault> what = {},
                            message_edit edit = {})
        : server_(std::move(server)), fault_(what), edit_(std::move(edit)) {
        std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        folder_ = name;
        std::filesystem::permissions(folder_, std::filesystem::perms(0755));
        const sockaddr_un address = address_in(folder_);
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, 64) != 0) {
            throw std::runtime_error("no socket");
        }
        accepting_ = std::thread([this] { accept_all(); });
    }
    ~postgres_proxy() {
        end_fault();
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto size = ::write(stop_, &one, sizeof one);
        accepting_.join();
        for (std::thread& it : connections_) it.join();
        ::close(listener_);
        ::close(stop_);
        std::filesystem::remove_all(folder_);
    }
    postgres_proxy(const postgres_proxy&) = delete;
    postgres_proxy& operator=(const postgres_proxy&) = delete;

    const std::string& folder() const { return folder_; }

    void await_fault() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return met_; });
    }
    void end_fault() {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        if (paused_ > 0) ::kill(std::exchange(paused_, 0), SIGCONT);
        changed_.notify_all();
    }

private:
    // One direction of a connection.
    struct stream {
        int from = -1;
        int to = -1;
        bool typed = true;  // the first message of a client has no type
        std::string arrived = {};
    };
    struct connection {
        stream client, server;
        int backend = 0;        // its process
        bool locked = false;    // it takes the write lock
        bool has_read = false;  // and has sent all of its reads
        bool cuts_after_sync = false;
        bool cuts_after_commit = false;
    };
    enum class verdict { go_on, close };

    static sockaddr_un address_in(const std::string& folder) {
        sockaddr_un out{};
        out.sun_family = AF_UNIX;
        const std::string path = folder + "/.s.PGSQL.5432";
        path.copy(out.sun_path, sizeof out.sun_path - 1);
        return out;
    }

    // False: it is time to stop.
    bool wait(std::initializer_list<int> sockets) const {
        std::vector<pollfd> on{{stop_, POLLIN, 0}};
        for (const int it : sockets) on.push_back({it, POLLIN, 0});
        while (::poll(on.data(), on.size(), -1) < 0 && errno == EINTR) {
        }
        return on.front().revents == 0;
    }
    static bool is_ready(int socket) {
        pollfd on{socket, POLLIN, 0};
        return ::poll(&on, 1, 0) > 0;
    }

    void accept_all() {
        while (wait({listener_})) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            const sockaddr_un address = address_in(server_);
            const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
                0) {
                ::close(server);
                ::close(client);
                continue;
            }
            connections_.emplace_back([this, client, server] {
                serve(client, server);
                ::close(client);
                ::close(server);
            });
        }
    }

    void serve(int client, int server) {
        connection it{{client, server, false}, {server, client}};
        while (wait({client, server})) {
            for (stream* each : {&it.client, &it.server}) {
                if (!is_ready(each->from)) continue;
                std::string buffer(1 << 16, '\0');
                const auto size = ::read(each->from, buffer.data(), buffer.size());
                if (size <= 0) return;
                each->arrived.append(buffer, 0, static_cast<std::size_t>(size));
                if (forward(it, *each) == verdict::close) return;
            }
        }
    }

    verdict forward(connection& of, stream& it) {
        const bool of_client = &it == &of.client;
        while (true) {
            const std::size_t head = it.typed ? 1 : 0;
            if (it.arrived.size() < head + 4) return verdict::go_on;
            std::uint32_t size = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                size = size << 8 | static_cast<unsigned char>(it.arrived[head + i]);
            }
            if (it.arrived.size() < head + size) return verdict::go_on;
            const char type = it.typed ? it.arrived[0] : '\0';
            std::string body = it.arrived.substr(head + 4, size - 4);
            if (edit_ && it.typed) edit_(of_client, type, body);
            if (of_client && it.typed && meet(of, type, body) == verdict::close) {
                return verdict::close;
            }
            const std::string message = it.arrived.substr(0, head + 4) + body;
            it.arrived.erase(0, head + size);
            it.typed = true;
            if (of_client && type == 'S') of.has_read = of.locked;
            if (!of_client && of.cuts_after_commit && type == 'C' && body.starts_with("COMMIT")) {
                return verdict::close;
            }
            if (!of_client && type == 'K') of.backend = process_in(body);
            if (!send(it.to, message)) return verdict::close;
            if (of_client && of.cuts_after_sync && type == 'S') return verdict::close;
        }
    }

    // Before a client's message goes on.
    verdict meet(connection& of, char type, const std::string& body) {
        const bool hangs_here = of.has_read && is(fault::client_hangs);
        const bool commits =
            type == 'P' && of.locked && body.find(std::string("\0COMMIT\0", 8)) != body.npos;
        of.locked = of.locked || (type == 'P' && body.find("FROM write_lock") != body.npos);
        if ((!hangs_here && !commits) || !take_fault()) return verdict::go_on;
        switch (*fault_) {
            case fault::cut_before_commit:
                return verdict::close;
            case fault::cut_in_commit:
                of.cuts_after_sync = true;
                break;
            case fault::cut_after_commit:
                of.cuts_after_commit = true;
                break;
            case fault::server_paused:
                pause(of.backend);
                of.cuts_after_sync = true;
                break;
            case fault::client_hangs:
            case fault::client_hangs_midway: {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return ended_; });
            }
        }
        return verdict::go_on;
    }

    bool is(fault what) const { return fault_ == what; }
    // True once.
    bool take_fault() {
        const std::lock_guard lock(mutex_);
        if (!fault_ || met_) return false;
        met_ = true;
        changed_.notify_all();
        return true;
    }

    void pause(int backend) {
        ::kill(backend, SIGSTOP);
        std::string state;
        while (state != "T") {  // the third word: proc(5)
            std::ifstream in("/proc/" + std::to_string(backend) + "/stat");
            std::string text;
            std::getline(in, text);
            const auto end = text.rfind(") ");
            if (end == text.npos) return;
            state = text.substr(end + 2, 1);
        }
        const std::lock_guard lock(mutex_);
        paused_ = backend;
    }

    static int process_in(const std::string& body) {
        std::uint32_t id = 0;
        for (std::size_t i = 0; i < 4; ++i) id = id << 8 | static_cast<unsigned char>(body[i]);
        return static_cast<int>(id);
    }

    static bool send(int to, std::string_view bytes) {
        while (!bytes.empty()) {
            const auto size = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
        return true;
    }

    const std::string server_;
    const std::optional<fault> fault_;
    const message_edit edit_;
    std::string folder_;
    int listener_ = -1;
    const int stop_ = ::eventfd(0, EFD_CLOEXEC);
    std::thread accepting_;
    std::vector<std::thread> connections_;  // of the accepting thread, until it has ended
    std::mutex mutex_;
    std::condition_variable changed_;
    bool met_ = false;
    bool ended_ = false;
    int paused_ = 0;
};

#endif
