// The files beside the database: their permissions, links, and names that lead elsewhere.

#include "sqlite_support.hpp"

#include <sys/stat.h>

#include <fstream>

using namespace sqlite_support;
namespace fs = std::filesystem;

namespace {

const char* const all_ends[] = {"", "-wal", "-shm", "-lock"};

unsigned mode_of(const std::string& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
}

struct umask_of {
    explicit umask_of(mode_t mask) : before(::umask(mask)) {}
    ~umask_of() { ::umask(before); }
    const mode_t before;
};

failure refusal_of(const sqlite_options& options) {
    const auto opened = open_sqlite(options);
    BOOST_REQUIRE(!opened);
    return opened.error();
}

sqlite_options at(const std::string& path) {
    sqlite_options out;
    out.path = path;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(files_are_the_owners_alone_unless_told_otherwise) {
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
        const umask_of its(mask);
        for (const unsigned mode : {0600U, 0640U, 0660U}) {
            const temporary_folder folder;
            sqlite_options options = at(folder.file("a.db"));
            if (mode != 0600U) options.file_mode = mode;  // the default
            const auto storage = std::move(open_sqlite(options)).value();
            const auto writer = writer_of(*storage);
            BOOST_REQUIRE(create_one(*writer, "A").has_value());
            for (const char* end : all_ends) {
                BOOST_TEST(mode_of(options.path + end) == mode, end << " under umask " << mask);
            }
        }
    }
    for (const unsigned mode : {0U, 0400U, 01600U, 07777U}) {
        sqlite_options options = at("/nonexistent/a.db");
        options.file_mode = mode;
        BOOST_TEST(refusal_of(options).code == make_error_code(errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(a_database_may_be_named_by_a_link) {
    const temporary_folder folder;
    fs::create_directory(folder.file("real"));
    const std::string real = folder.file("real/a.db");
    open(real);
    fs::create_symlink(real, folder.file("link.db"));
    {
        const auto storage = open(folder.file("link.db"));
        BOOST_TEST(storage->info().name == "sqlite:" + folder.file("link.db"));
        const auto writer = writer_of(*storage);
        BOOST_REQUIRE(create_one(*writer, "A").has_value());
        BOOST_TEST(writer->was_applied("test", 1).value());
        BOOST_TEST(fs::exists(real + "-wal"));
        BOOST_TEST(!fs::exists(folder.file("link.db-lock")));
    }
    BOOST_TEST(holds(*reader_of(*open(real)), "A"));

    fs::create_symlink(folder.file("nothing.db"), folder.file("dangling.db"));
    BOOST_TEST(refusal_of(at(folder.file("dangling.db"))).code ==
               make_error_code(errc::unavailable));
    BOOST_TEST(!fs::exists(folder.file("nothing.db")));
}

BOOST_AUTO_TEST_CASE(what_lies_beside_the_database_is_never_a_link) {
    for (const char* end : {"-lock", "-wal", "-shm"}) {
        const temporary_folder folder;
        const std::string path = folder.file("a.db");
        open(path);
        const std::string victim = folder.file("victim");
        std::ofstream(victim) << "precious";
        fs::remove(path + end);
        fs::create_symlink(victim, path + end);
        BOOST_TEST(refusal_of(at(path)).code == make_error_code(errc::unavailable), end);
        std::string text;
        std::ifstream(victim) >> text;
        BOOST_TEST(text == "precious", end);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_left_beside_a_file_that_is_not_ours) {
    const temporary_folder folder;
    const std::string path = folder.file("theirs");
    std::ofstream(path) << std::string(5000, 'x');
    BOOST_TEST(refusal_of(at(path)).code == make_error_code(errc::schema_mismatch));
    BOOST_TEST(std::distance(fs::directory_iterator(fs::path(path).parent_path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(files_that_are_removed_or_replaced_in_use_are_noticed) {
    enum { removed, renamed, replaced };
    for (const char* end : all_ends) {
        for (const int what : {removed, renamed, replaced}) {
            BOOST_TEST_CONTEXT("a.db" << end << " case " << what) {
                const temporary_folder folder;
                const std::string path = folder.file("a.db");
                const std::string name = path + end;
                const auto storage = open(path);
                auto writer = writer_of(*storage);
                const auto reader = reader_of(*storage);
                BOOST_REQUIRE(create_one(*writer, "A", 1).has_value());
                BOOST_TEST(holds(*reader, "A"));

                if (what == removed) fs::remove(name);
                if (what == renamed) fs::rename(name, folder.file("elsewhere"));
                if (what == replaced) {
                    fs::copy_file(name, folder.file("new"));
                    fs::rename(name, folder.file("elsewhere"));
                    fs::rename(folder.file("new"), name);
                }
                const auto refused = create_one(*writer, "B", 2);
                BOOST_TEST_REQUIRE(!refused.has_value());
                BOOST_TEST(refused.error().code == make_error_code(errc::unavailable));
                BOOST_TEST(!reader->count().has_value());
                BOOST_TEST(!writer->was_applied("test", 1).has_value());
                if (*end == '\0') {
                    BOOST_TEST(!storage->connect_writer().has_value());
                    BOOST_TEST(!storage->connect_reader().has_value());
                }
                if (what == removed) continue;
                fs::rename(folder.file("elsewhere"), name);
                BOOST_TEST(create_one(*writer, "B", 3).has_value());
                BOOST_TEST(holds(*reader, "B"));
                check_whole(*reader);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_moved_away_in_use_is_noticed) {
    const temporary_folder folder;
    fs::create_directory(folder.file("data"));
    const auto storage = open(folder.file("data/a.db"));
    const auto writer = writer_of(*storage);
    BOOST_REQUIRE(create_one(*writer, "A", 1).has_value());
    fs::rename(folder.file("data"), folder.file("moved"));
    BOOST_TEST(!create_one(*writer, "B", 2).has_value());
    fs::create_directory(folder.file("data"));
    BOOST_TEST(!create_one(*writer, "B", 2).has_value());
    fs::remove(folder.file("data"));
    fs::rename(folder.file("moved"), folder.file("data"));
    BOOST_TEST(create_one(*writer, "B", 3).has_value());
}
