#include "auth/jwk_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <utility>

namespace orderproc::server::auth {

result<std::string> read_file(const text_request& what) {
    const std::string path = what.location.substr(what.location.find(':') + 1);
    std::ifstream file(path, std::ios::binary);
    std::string out(what.size_max + 1, '\0');
    if (file) file.read(out.data(), static_cast<std::streamsize>(out.size()));
    if (!file && !file.eof()) {
        return failure{errc::unavailable, path + ": " + std::strerror(errno)};
    }
    out.resize(static_cast<std::size_t>(file.gcount()));
    if (out.size() > what.size_max) {
        return failure{errc::unavailable,
                       path + " has more than " + std::to_string(what.size_max) + " bytes"};
    }
    return out;
}

jwk_source::jwk_source(std::string location, jwk_source_options options, runtime with)
    : what_{std::move(location), jwk_set_size_max, timeout},
      options_(std::move(options)),
      with_(with) {}

jwk_source::~jwk_source() {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
}

result<void> jwk_source::start() {
    auto done = look();
    if (options_.thread) thread_ = std::thread([this] { run(); });
    return done;
}

jwk_set_ptr jwk_source::current() const {
    const clock::instant now = with_.time.monotonic();
    const std::lock_guard lock(mutex_);
    return set_ && now - good_at_ <= kept ? set_ : nullptr;
}

bool jwk_source::ask_again() {
    if (is_file()) return false;  // it is looked at soon anyway
    const clock::instant now = with_.time.monotonic();
    {
        const std::lock_guard lock(mutex_);
        if (asked_ || looking_) return true;
        if (has_looked_ && now - looked_at_ < retry_after) return false;
        asked_ = true;
    }
    changed_.notify_all();
    return true;
}

clock::instant jwk_source::due() const {
    const std::lock_guard lock(mutex_);
    if (asked_ || !has_looked_) return looked_at_;
    if (is_file()) return looked_at_ + file_interval;
    return looked_at_ + (last_failed_ ? std::chrono::milliseconds(retry_after)
                                      : std::chrono::milliseconds(interval));
}

result<void> jwk_source::look() {
    const clock::instant now = with_.time.monotonic();
    {
        const std::lock_guard lock(mutex_);
        looked_at_ = now;
        has_looked_ = looking_ = true;
    }
    bool news = false;
    result<void> done;
    try {
        done = read(news);
    } catch (const std::exception& why) {  // out of memory, as a rule
        done = failure{errc::unavailable, why.what()};
    }
    {
        const std::lock_guard lock(mutex_);
        last_failed_ = !done;
        if (done) good_at_ = now;
        asked_ = looking_ = false;
    }
    const bool tell = options_.told && (done ? news || failed_ : !failed_);
    failed_ = !done;
    const failure why = done ? failure() : done.error();
    if (tell) options_.told(done ? nullptr : &why);
    return done;
}

result<void> jwk_source::read(bool& news) {
    auto text = options_.read(what_, stop_.get_token());
    if (!text) return std::move(text).error();
    if (set_ && *text == text_) return {};
    auto made = parse_jwk_set(*text);
    if (!made) {
        return failure{errc::unavailable, what_.location + ": " + made.error().detail};
    }
    news = !set_ || !set_->same(**made);
    if (news) take(std::move(*made));
    text_ = std::move(*text);
    return {};
}

// Keys that were there before stay the ones that they were: what they have verified goes on.
void jwk_source::take(jwk_set_ptr made) {
    auto next = std::make_shared<jwk_set>(*made);
    std::vector<jwk_ptr> gone = set_ ? set_->keys : std::vector<jwk_ptr>();
    for (jwk_ptr& it : next->keys) {
        const auto found = std::find_if(gone.begin(), gone.end(),
                                        [&](const jwk_ptr& old) { return old->same(*it); });
        if (found == gone.end()) continue;
        it = *found;
        gone.erase(found);
    }
    {
        const std::lock_guard lock(mutex_);
        set_ = std::move(next);
    }
    for (const jwk_ptr& it : gone) it->retire();
}

void jwk_source::run() noexcept {
    const std::stop_token stop = stop_.get_token();
    for (;;) {
        const auto wait = due() - with_.time.monotonic();
        {
            std::unique_lock lock(mutex_);
            (void)changed_.wait_for(lock, stop, wait, [this] { return asked_; });
        }
        if (stop.stop_requested()) return;
        if (due() <= with_.time.monotonic()) (void)look();
    }
}

}  // namespace orderproc::server::auth
