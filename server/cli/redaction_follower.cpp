#include "cli/redaction_follower.hpp"

#include <utility>

namespace orderproc::server {

result<std::unique_ptr<redaction_follower>> redaction_follower::start(storage& of, engine& orders,
                                                                      const std::string& path) {
    if (path.empty()) return std::unique_ptr<redaction_follower>();
    auto log = redaction_log::open(path);
    if (!log) return std::move(log).error();
    std::unique_ptr<redaction_follower> out(new redaction_follower(of, orders, std::move(*log)));
    if (auto started = out->follower_.start(); !started) return std::move(started).error();
    return out;
}

redaction_follower::redaction_follower(storage& of, engine& orders, redaction_log log)
    : log_(std::move(log)), reads_(of, 1), follower_(orders, reads_, [this] {
          follower_options how;
          how.cursor = cursor;
          how.handler = [this](std::span<const journal_entry> entries) { return handle(entries); };
          return how;
      }()) {}

follow_answer redaction_follower::handle(std::span<const journal_entry> entries) {
    follow_answer out;
    for (const journal_entry& it : entries) {
        if (it.event == "redact") {
            const auto done = log_.append({std::string(it.after.id.view()), it.at, it.actor});
            if (!done) {
                out.next = entry_outcome::not_now;
                out.reason = done.error().message();
                return out;
            }
        }
        ++out.handled;
    }
    return out;
}

}  // namespace orderproc::server
