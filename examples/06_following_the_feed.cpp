// Following the feed, and going on where one was: a copy of what happens to orders that misses
// nothing and repeats nothing, whenever it is stopped. Its last line is where it goes on: what was
// done and how far one is are stored in one step. If your effects are stored elsewhere than your
// position, store the position after them: then a crash repeats some, and the order's version
// tells which.

#include <orderproc/cloud_event.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

using namespace orderproc;

namespace {

// Where the copy ends. What a crash left of a line is cut off.
feed_position end_of(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    feed_position out;  // none yet: the beginning
    std::uintmax_t whole = 0;
    while (std::getline(file, line) && !file.eof()) {
        out = parse_feed_position(line.substr(0, line.find(' '))).value();
        whole += line.size() + 1;
    }
    if (std::filesystem::exists(path)) std::filesystem::resize_file(path, whole);
    return out;
}

class follower final : public commit_listener {
public:
    explicit follower(std::string path) : path_(std::move(path)), at_(end_of(path_)) {}

    // Copies what is there; how many entries that were.
    result<std::size_t> copy(reader& reads) {
        std::size_t count = 0;
        while (true) {
            auto page = reads.use([&](repository_reader& from) {
                return from.read_feed({.after = at_, .limit = 2});  // 2 to show pages: take more
            });
            if (!page) return page.error();
            if (page->reset) {  // another journal, as after a backup was restored: start again
                std::filesystem::resize_file(path_, 0);
                at_ = page->oldest;
                continue;
            }
            if (page->entries.empty()) return count;
            std::ofstream file(path_, std::ios::app);
            for (const journal_entry& it : page->entries) {
                file << to_string(it.position) << ' ' << it.after.id.view() << ' ' << it.event
                     << " v" << static_cast<std::uint64_t>(it.version) << '\n';
            }
            if (!file.flush()) return failure{errc::unavailable, path_};
            at_ = page->entries.back().position;
            count += page->entries.size();
        }
    }

    // Sleeps until somebody committed; with engine_options::watch_others another process, too.
    void wait() {
        std::unique_lock lock(mutex_);
        news_.wait(lock, [this] { return committed_; });
        committed_ = false;
    }
    void committed() noexcept override {
        const std::lock_guard lock(mutex_);
        committed_ = true;
        news_.notify_one();
    }

private:
    const std::string path_;
    feed_position at_;
    std::mutex mutex_;
    std::condition_variable news_;
    bool committed_ = false;
};

// A run of the program: orders are placed and copied. Where the journal ends.
feed_position run(storage& stored, const std::string& path, const std::string& ids, bool follow) {
    engine orders(stored, status_machine::standard(), system_runtime());
    reader reads(stored);
    follower copy(path);
    orders.add_listener(copy);
    for (const char c : ids) {
        submit_order create;
        create.value.id = order_id::parse(std::string("ORD-") + c).value();
        create.value.user = "7";
        create.value.item_ids = {1001};
        create.value.total_amount = {100, "USD"};
        raise_event cancel{std::string("ORD-") + c, "cancel", "changed my mind"};
        for (auto& what : {command{std::move(create)}, command{std::move(cancel)}}) {
            const auto done = orders.execute(what);
            if (done.ec) throw boost::system::system_error(done.ec);
        }
        if (!follow) continue;
        for (std::size_t copied = 0; copied < 2; copied += copy.copy(reads).value()) copy.wait();
    }
    orders.remove_listener(copy);
    const feed_params last{.limit = 1};
    return reads.use([&](repository_reader& from) { return from.read_feed(last); }).value().newest;
}

// Has the copy each entry up to newest, once and in order?
bool complete(const std::string& path, feed_position newest) {
    std::ifstream file(path);
    std::string line;
    std::uint64_t offset = 0;
    while (std::getline(file, line)) {
        std::printf("%s\n", line.c_str());
        const feed_position expected{newest.epoch, ++offset};
        if (!line.starts_with(to_string(expected) + " ")) return false;
    }
    std::printf("--\n");
    return offset == newest.offset;
}

}  // namespace

int main() {
    char folder[] = "/tmp/orderproc-example-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    const std::string path = std::string(folder) + "/copy";

    feed_position newest;
    for (const auto& [ids, follow] : {std::pair("AB", true), {"C", false}, {"D", true}}) {
        std::ofstream(path, std::ios::app) << "1-99 half a li";  // as a crash may leave it
        const auto stored = open_sqlite({.path = std::string(folder) + "/shop.db"}).value();
        newest = run(*stored, path, ids, follow);  // C: nobody follows meanwhile
    }
    const bool resumed = newest.offset == 8 && complete(path, newest);

    const auto other = make_memory_storage(newest.epoch + 1);  // as a restored backup
    newest = run(*other, path, "E", true);
    const bool reset = newest.offset == 2 && complete(path, newest);
    std::filesystem::remove_all(folder);
    return resumed && reset ? 0 : 1;
}
