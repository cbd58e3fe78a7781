#ifndef ORDERPROC_SERVER_AUTH_JWK_SOURCE_HPP
#define ORDERPROC_SERVER_AUTH_JWK_SOURCE_HPP

// Where the keys of an issuer come from, kept up to date.

#include "auth/jwk.hpp"

#include <orderproc/runtime.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace orderproc::server::auth {

// A text that is read from elsewhere. No redirects are followed.
struct text_request {
    std::string location;  // "file:/PATH" or "https://HOST/PATH"
    std::size_t size_max = 0;
    std::chrono::milliseconds timeout{0};
};
// May block for the time-out, but no longer than until it is asked to stop.
using text_reader = std::function<result<std::string>(const text_request&, std::stop_token)>;

// The reader for "file:/PATH". errc::unavailable: it cannot be read, or is larger than size_max.
result<std::string> read_file(const text_request& what);

struct jwk_source_options {
    bool thread = true;  // false: the host calls look() whenever it is due()
    text_reader read;    // of the location
    // Told on the thread that looks when a set was taken (none), and when the first look that
    // fails, until one does not.
    std::function<void(const failure* why)> told;
};

// Reads the set every ten minutes, or a file every two seconds, on a thread of its own. What was
// read last counts until there is a new one that does: for a day, if none can be had. Safe to use
// from any thread.
class jwk_source {
public:
    static constexpr std::chrono::minutes interval{10};
    static constexpr std::chrono::seconds file_interval{2};
    static constexpr std::chrono::seconds retry_after{30};  // at least, between two looks
    static constexpr std::chrono::hours kept{24};
    static constexpr std::chrono::seconds timeout{5};

    // The runtime outlives it. Does not look yet.
    jwk_source(std::string location, jwk_source_options options, runtime with);
    ~jwk_source();  // waits for the look that is under way

    // The first look, and the thread. The failure is that of the look, and the thread is started
    // all the same. Call it once.
    result<void> start();

    // None: there is no set yet, or it is too old.
    jwk_set_ptr current() const;

    // A key is missed: looks soon, unless the last look is less than retry_after ago. False: no
    // look is to come for this. Does not block.
    bool ask_again();

    // One look. REQUIRES: on one thread at a time.
    result<void> look();
    // When the next look is to be.
    clock::instant due() const;

private:
    result<void> read(bool& news);
    void take(jwk_set_ptr made);
    void run() noexcept;
    bool is_file() const noexcept { return what_.location.starts_with("file:"); }

    const text_request what_;
    const jwk_source_options options_;
    const runtime with_;
    std::string text_;     // of the set; of whoever looks
    bool failed_ = false;  // the last look; the same

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    jwk_set_ptr set_;
    clock::instant good_at_{};    // of the last look that has found it
    clock::instant looked_at_{};  // of the last look
    bool has_looked_ = false;
    bool last_failed_ = false;
    bool looking_ = false;
    bool asked_ = false;  // for a look before its time
    std::stop_source stop_;
    std::thread thread_;
};

}  // namespace orderproc::server::auth

#endif
