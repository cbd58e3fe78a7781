#include "bench/load.hpp"
#include "cli/credential_settings.hpp"
#include "cli/progress.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

constexpr const char* order_body =
    R"({"order_id":"{id}","user_id":123,"item_ids":[1001,1002,1003],"total_amount":149.99})";

struct bench_settings {
    std::string address = "127.0.0.1:8000";
    std::vector<std::string> scenarios{"post", "get", "list", "noop"};
    std::size_t connections = 64;
    std::string duration = "5s";
    std::uint64_t requests = 0;
    double rate = 0;
    std::uint64_t orders = 10'000;
    std::uint64_t seed = 0;
    long pid = 0;
    std::string label;
    std::string order_file;
    credential_settings credential;
};

// Seconds of processor time that the process has used; 0 if it cannot be told.
double cpu_seconds(long pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(text.substr(name_end + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double peak_memory_mib(long pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    }
    return 0;
}

class bench {
public:
    bench(const bench_settings& settings, const endpoint& to, std::chrono::milliseconds duration,
          std::string token, std::string order)
        : settings_(settings), order_(std::move(order)) {
        base_.token = std::move(token);
        base_.host = to.host;
        base_.port = to.port;
        base_.connections = settings.connections;
        base_.duration = duration;
        base_.requests = settings.requests;
        base_.rate = settings.rate;
        base_.id_seed =
            settings.seed != 0
                ? settings.seed
                : static_cast<std::uint64_t>(
                      std::chrono::system_clock::now().time_since_epoch().count() >> 20);
    }

    int run() {
        std::printf("%-12s %10s %8s %8s %8s %8s %8s %9s %9s\n", "scenario", "req/s", "p50 us",
                    "p90 us", "p99 us", "p999 us", "failed", "cpu us", "peak MiB");
        for (const std::string& name : settings_.scenarios) {
            if (const int code = name == "e2e" ? end_to_end() : simple(name); code != 0) {
                return code;
            }
        }
        return failed_ ? 1 : 0;
    }

private:
    load_options scenario(const std::string& name) {
        load_options out = base_;
        out.progress = [this, name](std::uint64_t done) {
            line_.show(name + ": " + std::to_string(done) + " requests");
        };
        if (name == "post") {
            out.method = "POST";
            out.target = "/orders";
            out.body = order_;
        } else if (name == "get") {
            out.target = "/orders/{id}";
            out.ids_known = posted_;
        } else if (name == "list") {
            out.target = "/orders/status/PENDING?limit=50";
        }
        return out;
    }

    int simple(const std::string& name) {
        if (name == "get" && posted_ == 0) {
            load_options first = scenario("post");
            first.requests = settings_.orders;
            const auto made = run_load(first);
            if (!made) return fail(made.error());
            posted_ = made->succeeded;
        }
        const double cpu = cpu_seconds(settings_.pid);
        const auto measured = run_load(scenario(name));
        if (!measured) return fail(measured.error());
        if (name == "post") posted_ = measured->succeeded;
        report(name, *measured, cpu_seconds(settings_.pid) - cpu);
        return 0;
    }

    // Posts the orders, then waits until the server counts them all as completed.
    int end_to_end() {
        const auto before = completed();
        if (!before) return fail("no count of completed orders at /metrics");
        load_options options = scenario("post");
        options.requests = settings_.orders;
        options.duration = std::chrono::minutes(10);
        options.id_seed += 1;
        const double cpu = cpu_seconds(settings_.pid);
        const auto began = std::chrono::steady_clock::now();
        const auto posted = run_load(options);
        if (!posted) return fail(posted.error());
        const auto last_post = std::chrono::steady_clock::now();
        for (auto done = before; done < *before + posted->succeeded; done = completed()) {
            if (!done) return fail("the server went away");
            if (std::chrono::steady_clock::now() - last_post > std::chrono::minutes(10)) {
                return fail("orders are still not completed after ten minutes");
            }
            line_.show("e2e: " + std::to_string(*done - *before) + " of " +
                       std::to_string(posted->succeeded) + " completed");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        const auto end = std::chrono::steady_clock::now();
        report("e2e post", *posted, cpu_seconds(settings_.pid) - cpu);
        const std::chrono::duration<double> whole = end - began, rest = end - last_post;
        std::printf(
            "%-12s %10.0f orders/s to COMPLETED; %.2f s in all, %.2f s after the last POST\n",
            (settings_.label + "e2e").c_str(),
            static_cast<double>(posted->succeeded) / whole.count(), whole.count(), rest.count());
        return 0;
    }

    std::optional<std::uint64_t> completed() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(base_.port);
        ::inet_pton(AF_INET, base_.host.c_str(), &to.sin_addr);
        std::string text;
        if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
            const std::string request =
                std::string(
                    "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                    "Accept: application/json\r\n") +
                (base_.token.empty() ? "" : "Authorization: Bearer " + base_.token + "\r\n") +
                "\r\n";
            (void)!::write(fd, request.data(), request.size());
            std::array<char, 4096> part;
            for (ssize_t n; (n = ::read(fd, part.data(), part.size())) > 0;) {
                text.append(part.data(), static_cast<std::size_t>(n));
            }
        }
        ::close(fd);
        const std::string key = "\"completed\":";
        const auto at = text.find(key);
        if (at == std::string::npos) return std::nullopt;
        return std::stoull(text.substr(at + key.size()));
    }

    void report(const std::string& name, const load_result& it, double cpu) {
        const auto count = static_cast<double>(it.latencies_us.size());
        line_.clear();
        std::printf("%-12s %10.0f %8u %8u %8u %8u %8llu", (settings_.label + name).c_str(),
                    it.per_second(), it.percentile(0.5), it.percentile(0.9), it.percentile(0.99),
                    it.percentile(0.999), static_cast<unsigned long long>(it.refused + it.broken));
        if (settings_.pid != 0 && count > 0) {
            std::printf(" %9.2f %9.1f", cpu * 1e6 / count, peak_memory_mib(settings_.pid));
        }
        std::printf("\n");
        if (settings_.rate > 0) {  // the server is expected to turn some away
            std::printf("%-12s %10.0f %8u %8u %8u %8u %8llu\n", "  accepted",
                        static_cast<double>(it.succeeded) /
                            std::chrono::duration<double>(it.elapsed).count(),
                        percentile_of(it.accepted_us, 0.5), percentile_of(it.accepted_us, 0.9),
                        percentile_of(it.accepted_us, 0.99), percentile_of(it.accepted_us, 0.999),
                        static_cast<unsigned long long>(it.broken));
        }
        std::fflush(stdout);
        if (settings_.rate > 0) return;
        if (it.refused + it.broken != 0) {
            failed_ = true;
            fail("first refusal: " + it.first_refusal);
        }
    }

    const bench_settings& settings_;
    const std::string order_;
    progress_line line_;
    load_options base_;
    std::uint64_t posted_ = 0;
    bool failed_ = false;
};

int run_bench(const bench_settings& settings) {
    const auto to = of_option("--address", parse_endpoint(settings.address));
    if (!to) return fail(to.error());
    const auto duration = duration_option("--duration", settings.duration);
    if (!duration) return fail(duration.error());
    auto token = settings.credential.token();
    if (!token) return fail(token.error());
    std::string order = order_body;
    if (!settings.order_file.empty()) {
        std::ifstream file(settings.order_file, std::ios::binary);
        order.assign(std::istreambuf_iterator<char>(file), {});
        if (!file) {
            return fail({errc::invalid_argument,
                         "--order-file: " + settings.order_file + " cannot be read"});
        }
    }
    return bench(settings, *to, *duration, std::move(*token), std::move(order)).run();
}

}  // namespace

void add_bench(command_line to) {
    auto* command = to.app.add_subcommand(
        "bench", "Puts load on a server on this machine and measures what it answers");
    const auto it = std::make_shared<bench_settings>();
    command->add_option("scenario", it->scenarios, "Which, in this order")
        ->check(CLI::IsMember({"post", "get", "list", "noop", "e2e"}))
        ->capture_default_str();
    add_setting(*command, "address", it->address, "Of the server; loopback only");
    add_setting(*command, "connections", it->connections, "Each with one request under way")
        ->check(CLI::Range(1, 10'000));
    add_setting(*command, "rate", it->rate,
                "Requests a second, whether or not the server keeps up; 0: each connection asks "
                "again when it was answered")
        ->check(CLI::Range(0.0, 1e6));
    add_setting(*command, "duration", it->duration, "Of each scenario");
    add_setting(*command, "requests", it->requests, "End each scenario earlier, after so many");
    add_setting(*command, "orders", it->orders, "Of e2e, and for get when nothing was posted");
    add_setting(*command, "order-file", it->order_file,
                "What is posted, with {id} where the id of each order is to be, and {user} where a "
                "number from 1 to 100 is to be");
    add_setting(*command, "seed", it->seed, "Of the order ids; 0: by the time of day");
    add_setting(*command, "pid", it->pid, "The server's process: measures its CPU and memory");
    it->credential.add_file_to(*command);
    add_setting(*command, "label", it->label, "Put before each scenario's name");
    command->callback([&run = to.run, it] { run = [it] { return run_bench(*it); }; });
}

}  // namespace orderproc::server
