#ifndef ORDERPROC_SERVER_TLS_TLS_LISTENER_HPP
#define ORDERPROC_SERVER_TLS_TLS_LISTENER_HPP

// TLS for the connections of a server, with a certificate that may be replaced meanwhile.

#include "http/stream_maker.hpp"
#include "tls/tls_certificate.hpp"
#include "tls/tls_stream.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace orderproc::server::tls {

struct listener_options {
    bool thread = true;                                             // false: the host calls look()
    std::chrono::milliseconds interval = std::chrono::seconds(10);  // between two looks
    std::size_t handshakes_max = 256;                               // at a time
    // What was loaded is loaded anew after it: tickets are not made with the same keys for ever.
    std::chrono::milliseconds kept = std::chrono::hours(24);
    // Told on the thread that looks: none of the failure is there if a certificate was taken.
    std::function<void(const failure* why)> reloaded;
};

// Looks now and then whether the files were replaced, loads them, and takes them only if all is
// well with them: until then, and for the connections that there are, what was taken before goes
// on. Safe to use from any thread.
class listener final : public http::stream_maker {
public:
    // errc::invalid_argument: see load_certificate().
    static result<std::unique_ptr<listener>> open(certificate_files files,
                                                  listener_options options = {});
    ~listener() override;  // REQUIRES: the server is gone

    std::unique_ptr<http::byte_stream> make(boost::asio::ip::tcp::socket socket) override;
    bool crowded() const noexcept override {
        return handshakes_.under_way >= options_.handshakes_max;
    }
    totals handshakes() const noexcept override { return {handshakes_.done, handshakes_.failed}; }
    std::chrono::system_clock::time_point ends_at() const noexcept override { return ends_at_; }

    // One look. REQUIRES: on one thread at a time.
    void look();

private:
    listener(certificate_files files, listener_options options)
        : files_(std::move(files)), options_(std::move(options)) {}
    result<void> load();
    void run() noexcept;

    const certificate_files files_;
    const listener_options options_;
    handshake_counts handshakes_;
    std::atomic<std::chrono::system_clock::time_point> ends_at_{};
    std::string seen_;     // the fingerprint of what was looked at last
    bool failed_ = false;  // what was looked at last was not taken
    std::chrono::steady_clock::time_point loaded_at_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<boost::asio::ssl::context> current_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server::tls

#endif
