#include "auth/key_watch.hpp"

#include <exception>
#include <utility>

namespace orderproc::server::auth {

result<std::unique_ptr<key_watch>> key_watch::start(storage& of, key_table& table, observer& tell) {
    std::unique_ptr<key_watch> out(new key_watch(of, table, tell));
    if (auto ok = out->look(); !ok) return std::move(ok).error();
    out->thread_ = std::thread([it = out.get()] { it->run(); });
    return out;
}

key_watch::~key_watch() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

result<void> key_watch::look() {
    if (!connection_) {
        auto made = storage_.connect_reader();
        if (!made) return std::move(made).error();
        connection_ = std::move(*made);
    }
    auto done = table_.refresh(*connection_);
    if (!done) connection_.reset();
    return done;
}

void key_watch::run() noexcept {
    error_code reported;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, interval, [this] { return stopping_; })) return;
        }
        failure why;
        try {
            if (auto done = look(); !done) why = std::move(done).error();
        } catch (const std::exception&) {  // without memory it is tried again
            why.code = errc::unavailable;
        }
        if (why.code && why.code != reported) tell_.error("auth.keys", why);
        reported = why.code;
    }
}

}  // namespace orderproc::server::auth
