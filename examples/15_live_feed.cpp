// The live feed in a host of your own, say for WebSocket or gRPC: any number of sessions follow the
// orders that they may see, and one thread reads the journal for all of them. A session belongs to
// an event loop: the feed only tells the loop that there is something to take.
//
// A session that is dropped because it was too slow, or whose connection broke, subscribes again
// after the last position that it has seen: it misses nothing and gets nothing twice.

#include <orderproc/feed.hpp>
#include <orderproc/memory.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
namespace asio = boost::asio;

namespace {

class session final : public feed_listener {
public:
    session(asio::io_context& loop, live_feed& feed, std::string name, feed_request what)
        : loop_(loop), feed_(feed), name_(std::move(name)), what_(std::move(what)) {
        follow(what_.after);
    }

    // On the feed's thread, and perhaps before the constructor is left: the loop does the rest.
    void ready() noexcept override {
        asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) send();
        });
    }

    std::function<void()> on_entry;                  // called for each entry that was sent
    const feed_position& at() const { return at_; }  // subscribe again after it
    const std::string& sent() const { return sent_; }

private:
    // As much as the connection takes at once; the feed keeps the rest, up to its bound.
    void send() {
        for (bool more = true; more;) {
            std::vector<feed_part> parts;
            const feed_state state = subscription_->take(parts, 64 * 1024, 16);
            for (const feed_part& it : parts) {
                if (it.is == feed_part::kind::reset) sent_.clear();  // list the orders again
                for (const journal_entry& entry : it.entries) write(entry);
                at_ = it.position;
            }
            if (state == feed_state::dropped) return follow(at_);  // too slow: once more from here
            more = state == feed_state::open && !parts.empty();
        }
    }
    void follow(std::optional<feed_position> after) {
        what_.after = after;
        subscription_ = feed_.subscribe(what_, *this).value();
    }
    void write(const journal_entry& it) {
        const std::string line = std::string(it.after.id.view()) + ' ' + it.event + '\n';
        std::printf("%s: %s", name_.c_str(), line.c_str());
        sent_ += line;
        if (on_entry) on_entry();
    }

    asio::io_context& loop_;
    live_feed& feed_;
    const std::string name_;
    feed_request what_;
    std::string sent_;
    feed_position at_;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>();  // for what is in the loop
    std::unique_ptr<feed_subscription> subscription_;
};

void place(engine& orders, const std::string& id, const std::string& user) {
    submit_order create;
    create.value.id = order_id::parse(id).value();
    create.value.user = user;
    create.value.item_ids = {1001};
    create.value.total_amount = {100, "USD"};
    for (auto& what : {command{std::move(create)}, command{raise_event{id, "cancel", ""}}}) {
        if (const auto done = orders.execute(what); done.ec)
            throw boost::system::system_error(done.ec);
    }
}

}  // namespace

int main() {
    asio::io_context loop(1);  // outlives the feed, whose thread posts to it
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(*stored, 1);
    live_feed feed(orders, reads);

    place(orders, "ORD-1", "7");
    place(orders, "ORD-2", "8");
    std::size_t entries = 0;
    const auto stop_after = [&](std::size_t count) {
        return [&, count] {
            if (++entries == count) loop.stop();
        };
    };
    const feed_position beginning;
    auto everything =
        std::make_unique<session>(loop, feed, "all", feed_request{{}, beginning, false});
    session user_7(loop, feed, "user 7", {{.scope = {.user = "7"}}, beginning, false});
    everything->on_entry = user_7.on_entry = stop_after(6);
    const auto work = asio::make_work_guard(loop);
    loop.run();

    // The connection of one breaks; orders go on meanwhile.
    const feed_position seen = everything->at();
    everything.reset();
    place(orders, "ORD-3", "7");
    session again(loop, feed, "all", {{}, seen, false});
    again.on_entry = user_7.on_entry = stop_after(10);
    loop.restart();
    loop.run();

    const std::string of_7 = "ORD-1 create\nORD-1 cancel\nORD-3 create\nORD-3 cancel\n";
    return user_7.sent() == of_7 && again.sent() == "ORD-3 create\nORD-3 cancel\n" ? 0 : 1;
}
