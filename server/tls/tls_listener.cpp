#include "tls/tls_listener.hpp"

#include <exception>
#include <utility>

namespace orderproc::server::tls {

result<std::unique_ptr<listener>> listener::open(certificate_files files,
                                                 listener_options options) {
    std::unique_ptr<listener> out(new listener(std::move(files), std::move(options)));
    out->seen_ = fingerprint_of(out->files_);
    if (auto ok = out->load(); !ok) return std::move(ok).error();
    if (out->options_.thread) out->thread_ = std::thread([it = out.get()] { it->run(); });
    return out;
}

listener::~listener() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

result<void> listener::load() {
    auto made = load_certificate(files_);
    if (!made) return std::move(made).error();
    loaded_at_ = std::chrono::steady_clock::now();
    ends_at_ = end_of_certificate(**made);
    const std::lock_guard lock(mutex_);
    current_ = std::move(*made);
    return {};
}

std::unique_ptr<http::byte_stream> listener::make(boost::asio::ip::tcp::socket socket) {
    std::shared_ptr<boost::asio::ssl::context> with;
    {
        const std::lock_guard lock(mutex_);
        with = current_;
    }
    return make_tls_stream(std::move(socket), std::move(with), handshakes_);
}

void listener::look() {
    std::string found = fingerprint_of(files_);
    const bool replaced = found != seen_;
    const bool old = std::chrono::steady_clock::now() - loaded_at_ >= options_.kept;
    if (!replaced && !old && !failed_) return;
    seen_ = std::move(found);
    const auto done = load();
    const bool news = replaced || failed_ == done.has_value();
    failed_ = !done;
    if (!news || !options_.reloaded) return;
    const failure why = done ? failure() : done.error();
    options_.reloaded(done ? nullptr : &why);
}

void listener::run() noexcept {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, options_.interval, [this] { return stopping_; })) return;
        }
        try {
            look();
        } catch (const std::exception&) {  // without memory it is tried again
        }
    }
}

}  // namespace orderproc::server::tls
