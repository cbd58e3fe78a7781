#include "observe/process_metrics.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

MetricFamily family_of(const char* name, const char* help, MetricType type, double value) {
    MetricFamily out{name, help, type, {}};
    auto& metric = out.metric.emplace_back();
    (type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) = value;
    return out;
}

// Of /proc/self/stat, which numbers its fields from 1. The second is the program's name in
// parentheses, which may hold anything.
class process_stat {
public:
    static std::optional<process_stat> read() {
        std::ifstream from("/proc/self/stat");
        std::string text;
        if (!std::getline(from, text)) return std::nullopt;
        const std::size_t end = text.rfind(')');
        if (end == text.npos) return std::nullopt;
        std::istringstream rest(text.substr(end + 1));
        process_stat out;
        for (std::string one; rest >> one;) out.fields_.push_back(std::move(one));
        if (out.fields_.size() < 22) return std::nullopt;
        return out;
    }
    double field(std::size_t number) const { return std::stod(fields_.at(number - 3)); }

private:
    std::vector<std::string> fields_;
};

// Seconds since 1970.
std::optional<double> boot_time() {
    std::ifstream from("/proc/stat");
    for (std::string line; std::getline(from, line);) {
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    }
    return std::nullopt;
}

std::optional<double> open_files() {
    const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("/proc/self/fd"), ::closedir);
    if (!all) return std::nullopt;
    double out = -3;  // ".", "..", and the directory itself
    while (::readdir(all.get())) ++out;
    return out;
}

}  // namespace

std::vector<MetricFamily> process_metrics() {
    std::vector<MetricFamily> out;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    if (const auto stat = process_stat::read(); stat && ticks > 0) {
        out.push_back(family_of("process_cpu_seconds_total",
                                "CPU time of the process, in user and system mode",
                                MetricType::Counter, (stat->field(14) + stat->field(15)) / ticks));
        out.push_back(family_of("process_resident_memory_bytes",
                                "Memory that the process has in RAM", MetricType::Gauge,
                                stat->field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE))));
        if (const auto boot = boot_time()) {
            out.push_back(family_of("process_start_time_seconds",
                                    "When the process started, in seconds since 1970",
                                    MetricType::Gauge, *boot + stat->field(22) / ticks));
        }
    }
    if (const auto open = open_files()) {
        out.push_back(family_of("process_open_fds", "Files and sockets that are open",
                                MetricType::Gauge, *open));
    }
    rlimit most{};
    if (::getrlimit(RLIMIT_NOFILE, &most) == 0) {
        out.push_back(family_of("process_max_fds", "Files and sockets that may be open",
                                MetricType::Gauge, static_cast<double>(most.rlim_cur)));
    }
    return out;
}

std::vector<MetricFamily> storage_file_metrics(std::string_view storage) {
    constexpr std::string_view kind = "sqlite:";
    std::vector<MetricFamily> out;
    if (!storage.starts_with(kind)) return out;
    const std::string path(storage.substr(kind.size()));
    MetricFamily sizes{
        "orderproc_storage_bytes", "Size of the storage's files", MetricType::Gauge, {}};
    const std::pair<const char*, std::string> files[] = {{"data", path}, {"log", path + "-wal"}};
    for (const auto& [name, file] : files) {
        struct stat found {};
        const bool there = ::stat(file.c_str(), &found) == 0;
        if (!there && file == path) return out;  // it is in no file
        auto& metric = sizes.metric.emplace_back();
        metric.label.push_back({"file", name});
        metric.gauge.value = there ? static_cast<double>(found.st_size) : 0;
    }
    out.push_back(std::move(sizes));
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) == 0) {
        out.push_back(
            family_of("orderproc_storage_free_bytes", "Free space where the storage's files are",
                      MetricType::Gauge,
                      static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize)));
    }
    return out;
}

}  // namespace orderproc::server
