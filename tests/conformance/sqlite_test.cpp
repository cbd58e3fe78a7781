// SQLite against what every storage promises.

#include "run_cases.hpp"

#include <orderproc/sqlite.hpp>

#include <sqlite3.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace orderproc;

class sqlite_harness final : public testing::storage_harness {
public:
    sqlite_harness() {
        std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        folder_ = name;
    }
    ~sqlite_harness() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<storage> open() override {
        sqlite_options options;
        options.path = (folder_ / "orders.db").string();
        options.lock_timeout = std::chrono::seconds(60);  // of processes under a sanitizer
        return std::move(open_sqlite(std::move(options))).value();
    }

    // The last statement of a write fails, after all of its changes were made.
    bool fail_writes(bool fail) override {
        const std::string path = (folder_ / "orders.db").string();
        sqlite3* db = nullptr;
        bool done = sqlite3_open(path.c_str(), &db) == SQLITE_OK;
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        const char* sql = fail ? "CREATE TRIGGER broken BEFORE INSERT ON writers "
                                 "BEGIN SELECT RAISE(ABORT, 'broken by the test'); END"
                               : "DROP TRIGGER broken";
        done = done && sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
        sqlite3_close(db);
        return done;
    }

private:
    std::filesystem::path folder_;
};

const bool added =
    add_storage_cases([] { return std::make_unique<sqlite_harness>(); }, skipped_case::error);

}  // namespace
