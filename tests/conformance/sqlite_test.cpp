// SQLite against what every storage promises.

#include <orderproc/sqlite.hpp>
#include <orderproc/testing/storage_cases.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {

// Boost.Test prints what it runs over.
std::ostream& operator<<(std::ostream& out, const storage_case& it) {
    return out << it.name;
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

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

}  // namespace

BOOST_DATA_TEST_CASE(a_storage_case, boost::unit_test::data::make([] {
                         const auto all = testing::storage_cases();
                         return std::vector<testing::storage_case>(all.begin(), all.end());
                     }()),
                     it) {
    sqlite_harness harness;
    try {
        it.run(harness);
    } catch (const testing::case_skipped& skipped) {
        BOOST_TEST_MESSAGE(it.name << " skipped: " << skipped.what());
    }
}
