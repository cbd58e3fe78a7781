#ifndef ORDERPROC_TESTS_INTEGRATION_SQLITE_SUPPORT_HPP
#define ORDERPROC_TESTS_INTEGRATION_SQLITE_SUPPORT_HPP

// What the tests of the SQLite adapter share.

#include <orderproc/sqlite.hpp>
#include <orderproc/verify.hpp>

#include <boost/test/unit_test.hpp>

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlite_support {

using namespace orderproc;

class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    ~temporary_folder() { std::filesystem::remove_all(path_); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    std::string file(std::string_view name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline std::unique_ptr<storage> open(const std::string& path, std::size_t checkpoint_pages = 4000) {
    sqlite_options options;
    options.path = path;
    options.lock_timeout = std::chrono::seconds(60);
    options.checkpoint_pages = checkpoint_pages;
    return std::move(open_sqlite(std::move(options))).value();
}

inline std::unique_ptr<repository> writer_of(storage& from) {
    return std::move(from.connect_writer()).value();
}
inline std::unique_ptr<repository_reader> reader_of(storage& from) {
    return std::move(from.connect_reader()).value();
}

constexpr timestamp day_one{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};

inline change create(const std::string& id, std::int64_t user = 7) {
    create_order made;
    made.value.id = order_id::parse(id).value();
    made.value.user = std::to_string(user);
    made.value.item_ids = {1001, 1002};
    made.value.total_amount = {14999, "USD"};
    made.value.status = status_machine::standard().initial();
    made.queued = true;
    change out;
    out.order = id;
    out.event = "create";
    out.action = std::move(made);
    return out;
}

inline result<void> write(repository& to, std::span<const change> changes, std::string_view who,
                          std::uint64_t sequence, std::vector<change_outcome>& out,
                          timestamp now = day_one) {
    out.assign(changes.size(), {});
    write_params params;
    params.now = now;
    params.writer = who;
    params.sequence = sequence;
    params.changes = changes;
    write_results results{out, {}, {}};
    return to.write(params, results);
}

inline result<void> create_one(repository& to, const std::string& id, std::uint64_t sequence = 1) {
    const std::vector<change> changes{create(id)};
    std::vector<change_outcome> out;
    return write(to, changes, "test", sequence, out);
}

inline bool holds(repository_reader& from, const std::string& id) {
    const std::vector<std::string> ids{id};
    return from.load({ids, {}}).value().orders.front().has_value();
}

inline feed_position newest_of(const std::string& path) {
    return reader_of(*open(path))->read_feed({}).value().newest;
}

// In a process of its own, which ends with what body returns.
template <class F>
pid_t in_child(F body) {
    const pid_t child = fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        try {
            _exit(body());
        } catch (...) {  // else the child would go on as a second test runner
            _exit(99);
        }
    }
    return child;
}

inline int ended(pid_t child) {
    int status = 0;
    BOOST_REQUIRE_EQUAL(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline void check_whole(repository_reader& from) {
    const auto report = verify(from, status_machine::standard());
    BOOST_REQUIRE(report.has_value());
    BOOST_TEST(report->difference.value_or("") == "");
}

}  // namespace sqlite_support

#endif
