// A catalogue in a file, which others replace or write over.

#include "items/file_items.hpp"

#include "ask_items.hpp"

#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;

namespace {

using ids = std::vector<std::int64_t>;

struct report_log final : observer {
    void error(std::string_view, const failure& what) noexcept override {
        texts.push_back(what.message());
    }
    std::vector<std::string> texts;
};

// Lets a test do something between two steps of the checker, which asks for the time between them.
class busy_clock final : public clock {
public:
    std::function<void()> meanwhile;
    timestamp now() override {
        if (meanwhile) meanwhile();
        return inner.now();
    }
    instant monotonic() override { return inner.monotonic(); }
    // Long after the files of a test, or long before them.
    orderproc::testing::manual_clock inner{
        timestamp(std::chrono::sys_days(std::chrono::year(1990) / 1 / 1))};
};

struct folder {
    folder() { BOOST_REQUIRE(mkdtemp(name.data()) != nullptr); }
    ~folder() { std::filesystem::remove_all(name); }

    void write_over(std::string_view text) const { std::ofstream(path(), std::ios::trunc) << text; }
    void replace(std::string_view text) const {  // as an atomic replacement
        std::ofstream(path() + ".new") << text;
        std::filesystem::rename(path() + ".new", path());
    }
    std::string path() const { return name + "/items"; }
    std::unique_ptr<item_checker> open() {
        auto out = make_file_items(path(), log, time);
        BOOST_REQUIRE(out.has_value());
        return std::move(out).value();
    }
    // Those that the list does not have; {-1}: it cannot be told.
    ids unknown(item_checker& by, const ids& asked = {1, 2, 3, 4}) const {
        const auto told = server::testing::ask(by, asked);
        if (!told) BOOST_TEST((told.error().code == errc::unavailable));
        return told ? *told : ids{-1};
    }
    void rest() { time.inner.advance(items_rest); }

    std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
    report_log log;
    busy_clock time;
};

const ids none;
const ids cannot_be_told{-1};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_file_is_read_strictly, folder) {
    BOOST_TEST((make_file_items(path(), log, time).error().code == errc::unavailable));
    for (const char* bad : {"1 x", "0", "-1", "1.5", "99999999999999999999", "1;2", "[1,2", "1,2]",
                            "][", "[[1]", "["}) {
        replace(bad);
        const auto refused = make_file_items(path(), log, time);
        BOOST_TEST((refused.error().code == errc::invalid_argument), bad);
        BOOST_TEST(refused.error().detail.find("line 1") != std::string::npos);
    }
    for (const char* good :
         {"1 2 3 4", "[1,2,3,4]", "# ours\n[1, 2,\r\n3]  # three\n4\n", "4\n3\n2,1"}) {
        replace(good);
        BOOST_TEST(unknown(*open()) == none, boost::test_tools::per_element());
    }
    replace("");
    BOOST_TEST(unknown(*open()) == (ids{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_file_that_takes_its_place_counts_once_it_has_rested, folder) {
    replace("1 2 3");
    const auto items = open();
    BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
    replace("4");
    BOOST_TEST(unknown(*items, {1, 3}) == none, boost::test_tools::per_element());
    BOOST_TEST(unknown(*items, {4}) == cannot_be_told, boost::test_tools::per_element());
    rest();
    BOOST_TEST(unknown(*items) == (ids{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(log.texts.empty());
}

BOOST_FIXTURE_TEST_CASE(a_list_that_is_written_over_is_never_read_half, folder) {
    replace("1 2 3");
    const auto items = open();
    rest();
    BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
    for (const char* written : {"", "1 2", "1 2 4"}) {  // as a shell does it
        write_over(written);
        BOOST_TEST(unknown(*items) == cannot_be_told, boost::test_tools::per_element());
        BOOST_TEST(unknown(*items, {1, 2, 3}) == none, boost::test_tools::per_element());
        time.inner.advance(items_rest / 2);
        BOOST_TEST(unknown(*items) == cannot_be_told, boost::test_tools::per_element());
    }
    rest();
    BOOST_TEST(unknown(*items) == ids{3}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_list_that_changes_while_it_is_read_is_not_believed, folder) {
    replace("1 2 3");
    const auto items = open();
    rest();
    BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
    write_over("1 2");
    BOOST_TEST(unknown(*items) == cannot_be_told, boost::test_tools::per_element());
    rest();
    time.meanwhile = [this] { write_over("1"); };
    BOOST_TEST(unknown(*items) == cannot_be_told, boost::test_tools::per_element());
    time.meanwhile = nullptr;
    BOOST_TEST(unknown(*items) == cannot_be_told, boost::test_tools::per_element());
    rest();
    BOOST_TEST(unknown(*items) == (ids{2, 3, 4}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_list_that_was_read_at_once_is_read_again, folder) {
    replace("1 2 3");
    const auto items = open();
    // Written by somebody whose change does not show in the file's mark.
    struct stat before {};
    BOOST_REQUIRE(::stat(path().c_str(), &before) == 0);
    write_over("1 2 4");
    const timespec times[] = {before.st_atim, before.st_mtim};
    BOOST_REQUIRE(::utimensat(AT_FDCWD, path().c_str(), times, 0) == 0);
    BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
    rest();
    BOOST_TEST(unknown(*items) == ids{3}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_file_that_was_written_long_ago_counts_at_once, folder) {
    replace("1 2 3");
    const auto items = open();
    rest();
    BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
    const timespec long_ago[] = {{1, 0}, {1, 0}};
    replace("4");
    BOOST_REQUIRE(::utimensat(AT_FDCWD, path().c_str(), long_ago, 0) == 0);
    BOOST_TEST(unknown(*items) == (ids{1, 2, 3}), boost::test_tools::per_element());
    const timespec not_so_long_ago[] = {{2, 0}, {2, 0}};
    write_over("1");
    BOOST_REQUIRE(::utimensat(AT_FDCWD, path().c_str(), not_so_long_ago, 0) == 0);
    BOOST_TEST(unknown(*items) == (ids{2, 3, 4}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_read_is_reported_once_and_the_list_before_counts, folder) {
    replace("1 2 3");
    const auto items = open();
    for (const char* bad : {"broken", "[1,2"}) {
        log.texts.clear();
        replace(bad);
        BOOST_TEST(unknown(*items) == cannot_be_told, boost::test_tools::per_element());
        for (int i = 0; i < 3; ++i) {
            rest();
            BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
        }
        BOOST_TEST(log.texts.size() == 1U);
    }
    log.texts.clear();
    std::filesystem::remove(path());
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(unknown(*items) == ids{4}, boost::test_tools::per_element());
    }
    BOOST_TEST(log.texts.size() == 1U);
    replace("1 3");
    unknown(*items);  // seen for the first time
    rest();
    BOOST_TEST(unknown(*items) == (ids{2, 4}), boost::test_tools::per_element());
}
