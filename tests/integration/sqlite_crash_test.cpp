// Several processes, processes that die, and disks that fail.

#include "sqlite_support.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>

using namespace sqlite_support;

namespace {

// Writes to files whose name ends in -wal, or reads from the database, fail while a switch is on.
// The default file system of SQLite while it lives.
class failing_disk {
public:
    failing_disk() {
        real_ = sqlite3_vfs_find(nullptr);
        fail_sync = full = unreadable = false;
        shim_ = *real_;
        shim_.zName = "failing-disk";
        shim_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
        shim_.xOpen = &failing_disk::open_file;
        sqlite3_vfs_register(&shim_, 1);
    }
    ~failing_disk() {
        sqlite3_vfs_register(real_, 1);
        sqlite3_vfs_unregister(&shim_);
    }
    failing_disk(const failing_disk&) = delete;
    failing_disk& operator=(const failing_disk&) = delete;

    static inline bool fail_sync = false;
    static inline bool full = false;
    static inline bool unreadable = false;

private:
    struct file {  // the real one's methods with two replaced; its own state comes behind
        sqlite3_file base;
        sqlite3_io_methods methods;
        bool is_log;
    };
    static sqlite3_file* real_of(sqlite3_file* of) {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<file*>(of) + 1);
    }
    static bool is_log(sqlite3_file* of) { return reinterpret_cast<file*>(of)->is_log; }

    static int open_file(sqlite3_vfs*, const char* name, sqlite3_file* out, int flags,
                         int* out_flags);
    static inline sqlite3_vfs* real_ = nullptr;
    sqlite3_vfs shim_{};
};

int failing_disk::open_file(sqlite3_vfs*, const char* name, sqlite3_file* out, int flags,
                            int* out_flags) {
    out->pMethods = nullptr;
    sqlite3_file* const inner = real_of(out);
    const int code = real_->xOpen(real_, name, inner, flags, out_flags);
    if (code != SQLITE_OK) return code;
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = [](sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); };
    m.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
        if (unreadable && !is_log(f)) {  // as SQLite's own does on EIO
            errno = EIO;
            return SQLITE_IOERR_CORRUPTFS;
        }
        return real_of(f)->pMethods->xRead(real_of(f), to, size, at);
    };
    m.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
        if (full && is_log(f)) return SQLITE_FULL;
        return real_of(f)->pMethods->xWrite(real_of(f), from, size, at);
    };
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        return real_of(f)->pMethods->xTruncate(real_of(f), size);
    };
    m.xSync = [](sqlite3_file* f, int how) {
        if (fail_sync && is_log(f)) return SQLITE_IOERR_FSYNC;
        return real_of(f)->pMethods->xSync(real_of(f), how);
    };
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
        return real_of(f)->pMethods->xFileSize(real_of(f), size);
    };
    m.xLock = [](sqlite3_file* f, int k) { return real_of(f)->pMethods->xLock(real_of(f), k); };
    m.xUnlock = [](sqlite3_file* f, int k) { return real_of(f)->pMethods->xUnlock(real_of(f), k); };
    m.xCheckReservedLock = [](sqlite3_file* f, int* is) {
        return real_of(f)->pMethods->xCheckReservedLock(real_of(f), is);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
        return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) {
        return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
    };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out_page) {
        return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out_page);
    };
    m.xShmLock = [](sqlite3_file* f, int offset, int n, int how) {
        return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, how);
    };
    m.xShmBarrier = [](sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); };
    m.xShmUnmap = [](sqlite3_file* f, int drop) {
        return real_of(f)->pMethods->xShmUnmap(real_of(f), drop);
    };
    auto* const made = reinterpret_cast<file*>(out);
    made->methods = m;
    made->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    out->pMethods = &made->methods;
    return SQLITE_OK;
}

int write_batches(const std::string& path, const std::string& name, int batches, int pipe) {
    const auto storage = open(path, 100);
    const auto writer = writer_of(*storage);
    std::vector<change_outcome> out;
    for (int i = 0; i < batches; ++i) {
        const std::vector<change> two{create(name + std::to_string(i) + "a"),
                                      create(name + std::to_string(i) + "b")};
        if (!write(*writer, two, name, static_cast<std::uint64_t>(i) + 1, out)) return 1;
        if (out[0].ec || out[1].ec) return 2;
        if (pipe >= 0 && ::write(pipe, &i, sizeof i) != sizeof i) return 3;
    }
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(processes_take_turns_and_lose_nothing) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    constexpr int batches = 1000;
    open(path);
    const pid_t a = in_child([&] { return write_batches(path, "a", batches, -1); });
    const pid_t b = in_child([&] { return write_batches(path, "b", batches, -1); });
    BOOST_TEST(ended(a) == 0);
    BOOST_TEST(ended(b) == 0);

    const auto storage = open(path);
    const auto reader = reader_of(*storage);
    BOOST_TEST(reader->count().value().orders.front().orders == 4 * batches);
    check_whole(*reader);
    // Both were at it at the same time: neither had to wait for the other to finish.
    const auto page = reader->read_feed({{}, 4 * batches}).value();
    std::size_t turns = 0;
    for (std::size_t i = 1; i < page.entries.size(); ++i) {
        const auto first = [&](std::size_t at) { return page.entries[at].after.id.view()[0]; };
        if (first(i) != first(i - 1)) ++turns;
    }
    BOOST_TEST(turns > 10);
}

BOOST_AUTO_TEST_CASE(two_storages_of_one_process_take_turns) {
    const temporary_folder folder;
    const auto one = open(folder.file("a.db"));
    const auto other = open(folder.file("a.db"));
    const auto first = writer_of(*one);
    const auto second = writer_of(*other);
    for (std::uint64_t i = 1; i <= 50; ++i) {
        BOOST_REQUIRE(create_one(*first, "a" + std::to_string(i), i).has_value());
        BOOST_REQUIRE(create_one(*second, "b" + std::to_string(i), i).has_value());
    }
    check_whole(*first);
    BOOST_TEST(second->count().value().orders.front().orders == 100);
}

BOOST_AUTO_TEST_CASE(a_writer_waits_no_longer_than_it_is_told) {
    const temporary_folder folder;
    sqlite_options options;
    options.path = folder.file("a.db");
    options.lock_timeout = std::chrono::milliseconds(5);
    const auto storage = open_sqlite(options).value();
    const auto writer = writer_of(*storage);
    std::array<int, 2> held{};
    std::array<int, 2> done{};
    BOOST_REQUIRE_EQUAL(pipe(held.data()) + pipe(done.data()), 0);
    const pid_t child = in_child([&] {
        const int file = ::open((options.path + "-lock").c_str(), O_RDWR | O_CLOEXEC);
        struct flock both {};  // the gate and the turn
        both.l_type = F_WRLCK;
        both.l_len = 2;
        if (file < 0 || fcntl(file, F_OFD_SETLK, &both) != 0) return 1;
        char byte = 'x';
        close(done[1]);
        if (::write(held[1], &byte, 1) != 1) return 2;
        return ::read(done[0], &byte, 1) == 0 ? 0 : 3;
    });
    char byte = 0;
    BOOST_REQUIRE_EQUAL(::read(held[0], &byte, 1), 1);
    const auto refused = create_one(*writer, "a");
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == make_error_code(errc::unavailable));
    for (const int end : {held[0], held[1], done[0], done[1]}) close(end);
    BOOST_TEST(ended(child) == 0);
    BOOST_TEST(create_one(*writer, "a").has_value());
}

BOOST_AUTO_TEST_CASE(what_a_killed_writer_had_answered_is_there) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    open(path);
    const std::uint64_t epoch = newest_of(path).epoch;
    for (int round = 0; round < 5; ++round) {
        std::array<int, 2> answers{};
        BOOST_REQUIRE_EQUAL(pipe(answers.data()), 0);
        const std::string name = "r" + std::to_string(round) + "-";
        const pid_t child =
            in_child([&] { return write_batches(path, name, 1 << 20, answers[1]); });
        close(answers[1]);
        int last = -1;
        int answered = 0;
        while (answered < 100 + round * 37 && ::read(answers[0], &last, sizeof last) > 0) {
            ++answered;
        }
        kill(child, SIGKILL);
        while (::read(answers[0], &last, sizeof last) == sizeof last) {
        }
        close(answers[0]);
        BOOST_TEST(ended(child) == 128 + SIGKILL);

        const auto storage = open(path);
        const auto writer = writer_of(*storage);
        for (int i = 0; i <= last; ++i) {
            BOOST_TEST(holds(*writer, name + std::to_string(i) + "a"));
            BOOST_TEST(holds(*writer, name + std::to_string(i) + "b"));
        }
        check_whole(*writer);
        // It is the file that was left, whatever the writer was doing: copying the log, too.
        BOOST_TEST(storage->info().remarks.empty());
        BOOST_TEST(writer->read_feed({}).value().newest.epoch == epoch);
    }
}

BOOST_AUTO_TEST_CASE(a_failed_sync_leaves_the_outcome_unknown_until_asked) {
    const temporary_folder folder;
    const failing_disk disk;
    const auto storage = open(folder.file("a.db"));
    auto writer = writer_of(*storage);
    BOOST_REQUIRE(create_one(*writer, "before", 1).has_value());

    failing_disk::fail_sync = true;
    const auto lost = create_one(*writer, "lost", 2);
    BOOST_REQUIRE(!lost);
    BOOST_TEST(lost.error().code == make_error_code(errc::outcome_unknown));
    const auto later = create_one(*writer, "later", 3);
    BOOST_REQUIRE(!later);
    BOOST_TEST(later.error().code == make_error_code(errc::unavailable));
    BOOST_TEST(writer->count().error().code == make_error_code(errc::unavailable));
    BOOST_TEST(!storage->connect_writer().has_value());  // still cannot sync

    failing_disk::fail_sync = false;
    writer = writer_of(*storage);
    const bool applied = writer->was_applied("test", 2).value();
    BOOST_TEST(applied == holds(*writer, "lost"));
    BOOST_TEST(std::filesystem::file_size(folder.file("a.db-wal")) == 0);  // nothing comes back
    check_whole(*writer);
    BOOST_TEST(create_one(*writer, "after", 3).has_value());
    BOOST_TEST(writer->was_applied("test", 3).value());
    BOOST_TEST(!writer->was_applied("test", 2).value());
}

// SQLite says that the database is malformed, which would be for a person to mend.
BOOST_AUTO_TEST_CASE(a_disk_that_cannot_be_read_is_no_damage) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    {
        const auto storage = open(path);
        const auto writer = writer_of(*storage);
        std::vector<change> many;
        for (int i = 0; i < 2000; ++i) many.push_back(create("o" + std::to_string(i)));
        std::vector<change_outcome> out;
        BOOST_REQUIRE(write(*writer, many, "test", 1, out).has_value());
    }
    const failing_disk disk;
    const auto storage = open(path);
    const auto reader = reader_of(*storage);
    BOOST_TEST(reader->count().has_value());
    failing_disk::unreadable = true;
    for (const char* id : {"o3", "o777", "o1999"}) {
        const std::vector<std::string> ids{id};
        const auto lost = reader->load({ids, {}});
        BOOST_TEST_REQUIRE(!lost.has_value());
        BOOST_TEST(lost.error().code == make_error_code(errc::unavailable));
    }
    const auto feed = reader->read_feed({{}, 2000});
    BOOST_TEST_REQUIRE(!feed.has_value());
    BOOST_TEST(feed.error().code == make_error_code(errc::unavailable));
    failing_disk::unreadable = false;
    BOOST_TEST(holds(*reader, "o777"));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_survived) {
    const temporary_folder folder;
    const failing_disk disk;
    const auto storage = open(folder.file("a.db"));
    auto writer = writer_of(*storage);
    const auto reader = reader_of(*storage);
    BOOST_REQUIRE(create_one(*writer, "before", 1).has_value());
    failing_disk::full = true;
    const auto lost = create_one(*writer, "lost", 2);
    BOOST_REQUIRE(!lost);
    BOOST_TEST(lost.error().code == make_error_code(errc::outcome_unknown));
    failing_disk::full = false;
    writer = writer_of(*storage);
    BOOST_TEST(!writer->was_applied("test", 2).value());
    BOOST_TEST(!holds(*reader, "lost"));
    BOOST_TEST(holds(*reader, "before"));
    BOOST_TEST(create_one(*writer, "lost", 2).has_value());
    check_whole(*reader);
}
