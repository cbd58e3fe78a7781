// Following the journal with a named cursor: a service that mails customers. The storage keeps the
// position, and one owner at a time holds it. Any number of processes may run a follower like this
// one. One of them leads; when it stops, or its lease ends because it died, another one continues.
//
// The cursor moves after the handler's effects, so a crash in between repeats some of them: they
// happen at least once, and an entry's position tells a repeat.

#include <orderproc/engine.hpp>
#include <orderproc/follower.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;

namespace {

// Mails that were sent, in their order.
class mail_server {
public:
    // False: it is busy.
    bool send(const std::string& from, const journal_entry& about) {
        const std::lock_guard lock(mutex_);
        if (std::exchange(busy_, false)) return false;
        std::printf("%s mails user %s: %s is %s\n", from.c_str(), about.after.user.c_str(),
                    std::string(about.after.id.view()).c_str(),
                    std::string(about.after.status.view()).c_str());
        sent_.push_back(about.position.offset);
        changed_.notify_all();
        return true;
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return sent_.size() >= count; });
    }
    std::vector<std::uint64_t> sent() const {
        const std::lock_guard lock(mutex_);
        return sent_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool busy_ = true;  // the first time
    std::vector<std::uint64_t> sent_;
};

// Mails about each entry, as far as the mail server takes them, and says how many that were.
follow_answer mail_all(mail_server& to, const std::string& from,
                       std::span<const journal_entry> entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].after.user.empty()) {
            return {i, entry_outcome::impossible, "a guest has no address"};
        }
        if (!to.send(from, entries[i])) return {i, entry_outcome::not_now, "busy"};
    }
    return {entries.size()};
}

follower_options mailer(mail_server& to, const std::string& owner) {
    follower_options options;
    options.handler = [&to, owner](std::span<const journal_entry> entries) {
        return mail_all(to, owner, entries);
    };
    options.cursor = "mailer";
    options.owner = owner;                  // which no other process has
    options.give_up = unpublishable::skip;  // or hold the others up, which is the default
    return options;
}

void place(engine& orders, const std::string& user) {
    submit_order create;
    create.value.user = user;
    create.value.item_ids = {1001};
    create.value.total_amount = {100, "USD"};
    const change_outcome made = orders.execute({.what = std::move(create)});
    if (made.ec) throw boost::system::system_error(made.ec);
}

// An entry that is skipped is reported: put it where people look.
class reporter final : public observer {
public:
    void entry_given_up(const given_up_report& it) noexcept override {
        std::printf("%s skips entry %llu: %s\n", std::string(it.cursor).c_str(),
                    static_cast<unsigned long long>(it.offset), it.why.message().c_str());
    }
};

}  // namespace

int main() {
    reporter reports;
    mail_server mails;
    const auto stored = make_memory_storage();
    const order_model shop = order_model::build({.guests = true}).value();
    engine orders(*stored, status_machine::standard(), shop, system_runtime(reports));
    reader reads(*stored);
    journal_follower first(orders, reads, mailer(mails, "host-1"));
    journal_follower second(orders, reads, mailer(mails, "host-2"));

    first.start().value();
    for (const char* user : {"7", "", "8"}) place(orders, user);  // entry 2 is of a guest
    mails.wait_for(2);
    first.stop(std::chrono::seconds(5));  // lets the cursor go: the next one need not wait

    second.start().value();
    place(orders, "9");
    mails.wait_for(3);
    second.stop(std::chrono::seconds(5));
    const bool in_order = mails.sent() == std::vector<std::uint64_t>{1, 3, 4};
    return in_order ? 0 : 1;
}
