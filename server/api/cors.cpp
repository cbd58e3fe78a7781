#include "api/cors.hpp"

#include "api/routes.hpp"
#include "http/site_guard.hpp"

#include <algorithm>
#include <utility>

namespace orderproc::server {

namespace {

bool is_host_and_port(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view(".-_:[]").find(c) != std::string_view::npos;
    });
}

class cors_session final : public http::session {
public:
    cors_session(const cors_service& of, std::unique_ptr<http::session> inner)
        : of_(of), inner_(std::move(inner)) {}

    bool admit(http::request& in, http::response& out) noexcept override {
        return inner_->admit(in, out);
    }
    http::step begin(const http::request& in, http::response& out) noexcept override {
        if (in.method == "OPTIONS" && of_.answer_preflight(in, out)) return http::step::answered;
        return marked(inner_->begin(in, out), in, out);
    }
    http::step resume(const http::request& in, http::response& out) noexcept override {
        return marked(inner_->resume(in, out), in, out);
    }
    void abandon() noexcept override { inner_->abandon(); }
    void refused(const http::request& in, http::response& out) noexcept override {
        inner_->refused(in, out);
        of_.add_fields(in, out);
    }

private:
    http::step marked(http::step what, const http::request& in, http::response& out) noexcept {
        if (what == http::step::answered) of_.add_fields(in, out);
        return what;
    }

    const cors_service& of_;
    std::unique_ptr<http::session> inner_;
};

}  // namespace

bool is_cors_origin(std::string_view text) noexcept {
    if (text == "*") return true;
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (text.starts_with(scheme)) return is_host_and_port(text.substr(scheme.size()));
    }
    return false;
}

bool is_cors_field(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

cors_service::cors_service(http::service& inner, std::vector<std::string> origins,
                           std::span<const std::string> fields)
    : inner_(inner),
      origins_(std::move(origins)),
      all_(std::find(origins_.begin(), origins_.end(), "*") != origins_.end()) {
    for (const std::string& it : fields) allowed_fields_.append(", ").append(it);
}

std::unique_ptr<http::session> cors_service::open(http::exchange& by) {
    return std::make_unique<cors_session>(*this, inner_.open(by));
}

void cors_service::turned_away(http::response& out) const {
    inner_.turned_away(out);
    out.add("Access-Control-Allow-Origin", origins_.size() == 1 ? origins_.front() : "*");
    out.add("Access-Control-Expose-Headers", cors_exposed_fields);
}

// The answer differs by origin, also to those who send none: caches have to know.
void cors_service::add_fields(const http::request& in, http::response& out) const {
    if (!all_) out.add("Vary", "Origin");
    const std::string_view origin = in.find("Origin");
    if (origin.empty() || !http::admits_origin(origins_, origin)) return;
    out.add("Access-Control-Allow-Origin", all_ ? "*" : origin);
    out.add("Access-Control-Expose-Headers", cors_exposed_fields);
}

bool cors_service::answer_preflight(const http::request& in, http::response& out) const {
    const std::string_view origin = in.find("Origin");
    if (in.find("Access-Control-Request-Method").empty() || origin.empty() ||
        !http::admits_origin(origins_, origin) || !match("OPTIONS", in.path).path_known) {
        return false;
    }
    out.status = 204;
    out.add("Access-Control-Allow-Origin", all_ ? "*" : origin);
    out.add("Access-Control-Allow-Methods", allowed_methods(in.path));
    out.add("Access-Control-Allow-Headers", allowed_fields_);
    out.add("Access-Control-Max-Age", cors_preflight_seconds);
    out.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    return true;
}

}  // namespace orderproc::server
