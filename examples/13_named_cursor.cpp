// Following the journal with a named cursor: the storage keeps the position under a name, and one
// owner at a time holds it. Any number of processes may run a subscriber like this one. One of them
// follows; when it stops, or its hold ends because it died, another one goes on from the position.
//
// The position moves after the effects, so a crash in between repeats the effects of one page:
// they happen at least once, and the entry's position or the order's version tells a repeat.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>

#include <chrono>
#include <cstdio>
#include <future>
#include <optional>
#include <string>
#include <utility>

using namespace orderproc;

namespace {

// Waits for the answer to a cursor move. A host with an event loop posts to it instead.
class moved final : public cursor_completion {
public:
    void complete(const cursor_outcome& outcome) noexcept override { said_.set_value(outcome); }
    cursor_outcome wait() { return said_.get_future().get(); }

private:
    std::promise<cursor_outcome> said_;
};

class subscriber {
public:
    subscriber(engine& orders, reader& reads, std::string owner)
        : orders_(orders), reads_(reads), owner_(std::move(owner)) {}

    // False: another owner holds the cursor. Ask again after a while.
    bool take() { return move(std::nullopt, hold); }

    // Does what is to be done for each entry that is there; how many those were. While there are
    // none, call take() at a third of the hold: it renews it.
    result<std::size_t> follow() {
        std::size_t count = 0;
        // Beyond its hold, by the monotonic clock, another owner may be doing the same.
        while (orders_.runtime().time.monotonic() < holds_until_) {
            auto page = reads_.use([&](repository_reader& from) {
                return from.read_feed({.after = at_, .limit = 100});
            });
            if (!page) return page.error();
            if (page->reset) {  // another journal, as after a backup was restored: start again
                at_ = page->oldest;
                continue;
            }
            if (page->entries.empty()) break;
            for (const journal_entry& it : page->entries) {
                std::printf("%s mails user %s: %s is %s\n", owner_.c_str(), it.after.user.c_str(),
                            std::string(it.after.id.view()).c_str(),
                            std::string(it.after.status.view()).c_str());
            }
            count += page->entries.size();
            if (!move(page->entries.back().position, hold)) break;
        }
        return count;
    }

    // For a stop: the next owner need not wait until the hold ends.
    void let_go() { move(std::nullopt, std::chrono::milliseconds(0)); }

private:
    static constexpr std::chrono::milliseconds hold = std::chrono::seconds(10);

    // Takes the cursor, renews the hold, or moves the position: all of them are one durable write.
    bool move(std::optional<feed_position> to, std::chrono::milliseconds how_long) {
        orderproc::clock& time = orders_.runtime().time;
        const auto asked_at = time.monotonic();
        moved done;
        if (!orders_.submit(commit_cursor{"mailer", owner_, to, time.now() + how_long}, done)) {
            return false;  // the engine has stopped
        }
        const cursor_outcome outcome = done.wait();
        holds_until_ = outcome.ec ? asked_at : asked_at + how_long;
        if (!outcome.ec) at_ = outcome.at;
        return !outcome.ec;  // errc::lease_lost: another owner holds it
    }

    engine& orders_;
    reader& reads_;
    const std::string owner_;
    feed_position at_;
    clock::instant holds_until_{};
};

void place(engine& orders, int count) {
    for (int i = 0; i < count; ++i) {
        submit_order create;
        create.value.user = "7";
        create.value.item_ids = {1001};
        create.value.total_amount = {100, "USD"};
        const change_outcome made = orders.execute({.what = std::move(create)});
        if (made.ec) throw boost::system::system_error(made.ec);
    }
}

}  // namespace

int main() {
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(*stored);
    subscriber first(orders, reads, "host-1");
    subscriber second(orders, reads, "host-2");

    place(orders, 3);
    const bool alone = first.take() && !second.take();
    const std::size_t before = first.follow().value();
    place(orders, 2);
    first.let_go();
    const bool went_on = second.take();
    const std::size_t after = second.follow().value();
    return alone && before == 3 && went_on && after == 2 ? 0 : 1;
}
