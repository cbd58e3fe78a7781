// Your own storage: orders in LMDB, which keeps sorted bytes in one file. A complete adapter, and a
// main() that asks the conformance kit whether it keeps what the library relies on.

#include <orderproc/kv.hpp>
#include <orderproc/testing/storage_cases.hpp>

#include <lmdb.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

using namespace orderproc;

namespace {

// Nothing is durable, and the next try may go better: the file is full or cannot be read.
failure unavailable(int rc) {
    return {errc::unavailable, mdb_strerror(rc)};
}

struct closer {
    void operator()(MDB_env* it) const { mdb_env_close(it); }
    void operator()(MDB_txn* it) const { mdb_txn_abort(it); }
    void operator()(MDB_cursor* it) const { mdb_cursor_close(it); }
};
template <class T>
using owned = std::unique_ptr<T, closer>;

MDB_val value_of(std::string_view it) {
    return {it.size(), const_cast<char*>(it.data())};  // LMDB only reads it
}
std::string_view text_of(const MDB_val& it) {
    return {static_cast<const char*>(it.mv_data), it.mv_size};
}

// The file: one environment with a database for each table.
struct lmdb_file {
    owned<MDB_env> env;
    MDB_dbi tables[kv_table_count] = {};
};

class lmdb_transaction final : public kv_transaction {
public:
    static result<std::unique_ptr<kv_transaction>> begin(const lmdb_file& in, unsigned flags) {
        MDB_txn* made = nullptr;
        const int rc = mdb_txn_begin(in.env.get(), nullptr, flags, &made);
        if (rc != MDB_SUCCESS) return unavailable(rc);
        return std::make_unique<lmdb_transaction>(in, owned<MDB_txn>(made));
    }
    lmdb_transaction(const lmdb_file& in, owned<MDB_txn> txn) : in_(in), txn_(std::move(txn)) {}

    result<std::optional<std::string_view>> get(kv_table of, std::string_view key) override {
        MDB_val k = value_of(key);
        MDB_val found;
        const int rc = mdb_get(txn_.get(), dbi(of), &k, &found);
        if (rc == MDB_NOTFOUND) return std::optional<std::string_view>();
        if (rc != MDB_SUCCESS) return unavailable(rc);
        return std::optional(text_of(found));
    }
    result<void> put(kv_table of, std::string_view key, std::string_view value) override {
        MDB_val k = value_of(key);
        MDB_val v = value_of(value);
        const int rc = mdb_put(txn_.get(), dbi(of), &k, &v, 0);
        if (rc != MDB_SUCCESS) return unavailable(rc);
        return {};
    }
    result<void> remove(kv_table of, std::string_view key) override {
        MDB_val k = value_of(key);
        const int rc = mdb_del(txn_.get(), dbi(of), &k, nullptr);
        if (rc != MDB_SUCCESS) return unavailable(rc);
        return {};
    }

    result<void> walk(kv_table of, kv_range range, const visitor& visit) override {
        MDB_cursor* made = nullptr;
        int rc = mdb_cursor_open(txn_.get(), dbi(of), &made);
        if (rc != MDB_SUCCESS) return unavailable(rc);
        const owned<MDB_cursor> closes(made);
        MDB_val key = value_of(range.backwards ? range.until : range.from);
        MDB_val value;
        rc = mdb_cursor_get(made, &key, &value, MDB_SET_RANGE);  // at it, or the next one
        if (range.backwards) {
            const bool none = rc == MDB_NOTFOUND;
            rc = mdb_cursor_get(made, &key, &value, none ? MDB_LAST : MDB_PREV);
        }
        const auto step = range.backwards ? MDB_PREV : MDB_NEXT;
        while (rc == MDB_SUCCESS) {
            const std::string_view at = text_of(key);
            if (at < range.from || at >= range.until || !visit(at, text_of(value))) return {};
            rc = mdb_cursor_get(made, &key, &value, step);
        }
        if (rc != MDB_NOTFOUND) return unavailable(rc);
        return {};
    }

    result<void> commit() override {
        const int rc = mdb_txn_commit(txn_.release());  // synchronous, unless told otherwise
        if (rc == MDB_SUCCESS) return {};
        return failure{errc::outcome_unknown, mdb_strerror(rc)};  // perhaps it came to the disk
    }

private:
    MDB_dbi dbi(kv_table of) const { return in_.tables[static_cast<std::size_t>(of)]; }

    const lmdb_file& in_;
    owned<MDB_txn> txn_;
};

class lmdb_storage final : public storage {
public:
    lmdb_storage(std::string path, std::shared_ptr<lmdb_file> file)
        : path_(std::move(path)), file_(std::move(file)) {}

    storage_info info() const override { return {"lmdb:" + path_, 1, true}; }

    result<std::unique_ptr<repository>> connect_writer() override { return connect(0); }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return connect(MDB_RDONLY);
    }

private:
    std::unique_ptr<repository> connect(unsigned flags) const {
        return make_kv_repository(
            [file = file_, flags] { return lmdb_transaction::begin(*file, flags); });
    }

    std::string path_;
    std::shared_ptr<lmdb_file> file_;
};

result<std::shared_ptr<lmdb_file>> open_file(const std::string& path) {
    auto file = std::make_shared<lmdb_file>();
    MDB_env* made = nullptr;
    int rc = mdb_env_create(&made);
    file->env.reset(made);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_maxdbs(made, kv_table_count);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_mapsize(made, std::size_t{1} << 30);  // at most
    // A transaction belongs to a connection, which may be used by one thread after the other.
    if (rc == MDB_SUCCESS) rc = mdb_env_open(made, path.c_str(), MDB_NOSUBDIR | MDB_NOTLS, 0644);
    int dead = 0;  // readers whose processes were killed would keep the file from shrinking
    if (rc == MDB_SUCCESS) rc = mdb_reader_check(made, &dead);
    MDB_txn* txn = nullptr;
    if (rc == MDB_SUCCESS) rc = mdb_txn_begin(made, nullptr, 0, &txn);
    owned<MDB_txn> opening(txn);
    for (std::size_t i = 0; i < kv_table_count && rc == MDB_SUCCESS; ++i) {
        rc = mdb_dbi_open(txn, std::to_string(i).c_str(), MDB_CREATE, &file->tables[i]);
    }
    if (rc == MDB_SUCCESS) rc = mdb_txn_commit(opening.release());
    if (rc != MDB_SUCCESS) return unavailable(rc);
    auto first = lmdb_transaction::begin(*file, 0);
    if (!first) return first.error();
    std::random_device chance;
    if (auto ready = prepare_kv(**first, 1 + chance()); !ready) return ready.error();
    return file;
}

// What the kit needs to know. LMDB wants a process to open a file once, so storages share it.
class lmdb_harness final : public testing::storage_harness {
public:
    explicit lmdb_harness(std::string path) : path_(std::move(path)) {
        std::filesystem::remove(path_);
        std::filesystem::remove(path_ + "-lock");
    }
    std::unique_ptr<storage> open() override {
        auto file = file_.lock();
        if (!file) file = open_file(path_).value();  // value() throws: the case fails
        file_ = file;
        return std::make_unique<lmdb_storage>(path_, std::move(file));
    }
    // As if the disk were full: no file may grow beyond its limit.
    bool fail_writes(bool fail) override {
        rlimit limit{};
        if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
        limit.rlim_cur = fail ? 0 : limit.rlim_max;
        return setrlimit(RLIMIT_FSIZE, &limit) == 0;
    }

private:
    std::string path_;
    std::weak_ptr<lmdb_file> file_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string path = argc > 1 ? argv[1] : "orders.lmdb";
    std::signal(SIGXFSZ, SIG_IGN);  // else a write beyond the limit ends the process
    int kept = 0, broken = 0, not_declared = 0;
    for (const testing::storage_case& it : testing::storage_cases()) {
        lmdb_harness harness(path);
        try {
            it.run(harness);
            ++kept;
            std::printf("kept    %s\n", it.name.c_str());
        } catch (const testing::case_skipped& why) {  // of a capability that info() does not name
            ++(it.needs ? not_declared : broken);     // or our harness cannot do what it needs
            std::printf("not run %s\n%s\n", it.name.c_str(), why.what());
        } catch (const std::exception& why) {
            ++broken;
            std::printf("broken  %s\n%s\n", it.name.c_str(), why.what());
        }
    }
    std::printf("%d promises kept, %d broken, %d not made\n", kept, broken, not_declared);
    return broken == 0 ? 0 : 1;
}
