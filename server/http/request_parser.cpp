#include "http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/optional/optional.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server::http {

namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using beast_view = boost::beast::string_view;

// A body this large was an exception: its memory is not kept for the next request.
constexpr std::size_t body_capacity_kept = 16 * 1024;
// What is read of a request that was refused already, to keep its connection.
constexpr std::size_t skipped_max = 64 * 1024;

struct fault {
    const problem_kind* kind = nullptr;
    std::string_view detail;
};

std::string_view text(beast_view it) noexcept {
    return {it.data(), it.size()};
}

bool is_host(std::string_view host) noexcept {  // RFC 3986, 3.2.2 and 3.2.3; no user, no comma
    return std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
    });
}

bool is_token_char(char c) noexcept {  // RFC 9110, 5.6.2
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    });
}

bool has_bare_lf(std::string_view text) noexcept {
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
        if (at == 0 || text[at - 1] != '\r') return true;
    }
    return false;
}

// Where the header ends in bytes, looking only behind from; 0 if it is not whole yet. What is
// refused here, Beast would let pass or wait for.
std::size_t find_header_end(std::string_view bytes, std::size_t& from, fault& wrong) {
    while (from < bytes.size()) {
        const void* found = std::memchr(bytes.data() + from, '\n', bytes.size() - from);
        if (!found) {
            from = bytes.size();
            return 0;
        }
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (at == 0 || bytes[at - 1] != '\r') {
            wrong = {&problems::bad_request, "a line does not end with CR LF"};
            return 0;
        }
        if (at >= 3 && bytes[at - 2] == '\n') return at + 1;
        if (at + 1 == bytes.size()) {
            from = at;  // what comes next decides
            return 0;
        }
        if (bytes[at + 1] == ' ' || bytes[at + 1] == '\t') {
            wrong = {&problems::bad_request, "a header line is folded"};
            return 0;
        }
        from = at + 1;
    }
    return 0;
}

// What Beast reads, into memory that is reused from request to request.
struct collected {
    explicit collected(const request_limits& most)
        : limits(most), arena(std::make_unique_for_overwrite<char[]>(most.header_size_max)) {
        fields.reserve(std::min<std::size_t>(most.fields_max, 16));
    }

    std::string_view keep(std::string_view it) noexcept {
        char* to = arena.get() + arena_used;
        std::memcpy(to, it.data(), it.size());
        arena_used += it.size();
        return {to, it.size()};
    }

    std::size_t body_size_max() const noexcept {
        const bool large = !limits.large_path.empty() && value.path == limits.large_path;
        return large ? limits.large_body_size_max : limits.body_size_max;
    }

    const request_limits& limits;
    std::unique_ptr<char[]> arena;  // holds any header within its limit
    std::size_t arena_used = 0;
    std::vector<field> fields;
    std::string body;
    request value;
    fault wrong;
    bool http_1_0 = false;
    bool chunked = false;
    bool has_length = false;
    bool has_host = false;
    bool expects = false;
    bool skipping = false;
};

// REQUIRES: the first bytes put are a whole header. A parser reads one request.
class message_parser final : public beast_http::basic_parser<true> {
public:
    explicit message_parser(collected& into) : into_(into) {
        eager(true);
        header_limit(static_cast<std::uint32_t>(into.limits.header_size_max) + 1);
        body_limit(boost::none);  // judged here, for the sake of the answer
    }

    std::size_t read(std::string_view bytes, error_code& ec) {
        bytes_ = bytes;
        return put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
    }

private:
    void refuse(const problem_kind& kind, std::string_view detail, error_code& ec) {
        into_.wrong = {&kind, detail};
        ec = beast_http::error::bad_value;
    }

    void on_request_impl(beast_http::verb, beast_view method, beast_view target, int version,
                         error_code& ec) override {
        target_size_ = target.size();  // judged when it is known whose page asks
        into_.http_1_0 = version == 10;
        into_.value.method = into_.keep(text(method));
        std::string_view rest = into_.keep(text(target));
        if (rest.find('#') != rest.npos) {
            return refuse(problems::bad_request, "the target has a fragment", ec);
        }
        const std::size_t scheme = rest.find("://");
        if (scheme != rest.npos && rest.front() != '/') {  // absolute-form, RFC 9112, 3.2.2
            const std::size_t path = rest.find_first_of("/?", scheme + 3);
            rest = path == rest.npos ? std::string_view("/") : rest.substr(path);
        }
        if (rest != "*" && rest.front() != '/') {
            return refuse(problems::bad_request, "the target is not a path", ec);
        }
        const std::size_t query = rest.find('?');
        into_.value.path = rest.substr(0, query);
        if (query != rest.npos) into_.value.query = rest.substr(query + 1);
    }

    void on_field_impl(beast_http::field known, beast_view name, beast_view value,
                       error_code& ec) override {
        if (header_done_) return judge_trailer(text(name), ec);
        if (into_.fields.size() == into_.limits.fields_max) {
            return refuse(problems::header_too_large, "there are too many fields", ec);
        }
        const std::string_view kept = into_.keep(text(value));
        into_.fields.push_back({into_.keep(text(name)), kept});
        switch (known) {
            case beast_http::field::host:
                if (into_.has_host) return refuse(problems::bad_request, "two Host fields", ec);
                if (!is_host(kept)) return refuse(problems::bad_request, "Host is malformed", ec);
                into_.has_host = true;
                break;
            case beast_http::field::content_length:
                if (into_.has_length || kept.find(',') != kept.npos) {
                    return refuse(problems::bad_request, "several Content-Length", ec);
                }
                into_.has_length = true;
                break;
            case beast_http::field::transfer_encoding:
                if (into_.chunked || into_.http_1_0 || !equal_ignoring_case(kept, "chunked")) {
                    return refuse(problems::bad_request,
                                  "Transfer-Encoding can only be chunked, in HTTP/1.1", ec);
                }
                into_.chunked = true;
                break;
            case beast_http::field::expect:
                if (!equal_ignoring_case(kept, "100-continue")) {
                    return refuse(problems::expectation_failed, {}, ec);
                }
                into_.expects = !into_.http_1_0;
                break;
            default:
                break;
        }
    }

    void on_header_impl(error_code& ec) override {
        header_done_ = true;
        if (target_size_ > into_.limits.target_size_max) {
            into_.value.path = into_.value.query = {};  // nobody repeats or logs it
            return refuse(problems::uri_too_long, {}, ec);
        }
        if (!into_.http_1_0 && !into_.has_host) {
            return refuse(problems::bad_request, "there is no Host field", ec);
        }
        if (into_.chunked && into_.has_length) {
            return refuse(problems::bad_request, "both Transfer-Encoding and Content-Length", ec);
        }
        if (content_length().value_or(0) > into_.body_size_max()) {
            return refuse(problems::payload_too_large, {}, ec);
        }
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>& size, error_code&) override {
        if (size && !into_.skipping) into_.body.reserve(static_cast<std::size_t>(*size));
    }
    std::size_t on_body_impl(beast_view bytes, error_code&) override {
        if (!into_.skipping) into_.body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t size, beast_view extension, error_code& ec) override {
        if (has_control(text(extension))) {  // Beast lets it pass within quotes
            return refuse(problems::bad_request, "a chunk extension has a control character", ec);
        }
        if (size > into_.body_size_max() - into_.body.size()) {
            refuse(problems::payload_too_large, {}, ec);
        }
    }
    std::size_t on_chunk_body_impl(std::uint64_t, beast_view bytes, error_code& ec) override {
        return on_body_impl(bytes, ec);
    }
    void on_response_impl(int, beast_view, int, error_code&) override {}
    void on_finish_impl(error_code&) override {}

    // Trailers are dropped: never taken for header fields. Beast reads folded ones as well, where
    // it sees the whole of them.
    void judge_trailer(std::string_view name, error_code& ec) {
        const char* const end = bytes_.data() + bytes_.size();
        const std::string_view rest(name.data(), static_cast<std::size_t>(end - name.data()));
        const std::size_t line = rest.find("\r\n");
        if (line == rest.npos || line + 2 == rest.size()) return;
        if (rest[line + 2] != ' ' && rest[line + 2] != '\t') return;
        refuse(problems::bad_request, "a trailer line is folded", ec);
    }

    collected& into_;
    std::string_view bytes_;  // that are being read
    std::size_t target_size_ = 0;
    bool header_done_ = false;
};

}  // namespace

class request_parser::impl {
public:
    impl(const request_limits& limits, bool pauses) : got_(limits), pauses_(pauses) {}

    state feed(std::string_view bytes, std::size_t& consumed) {
        consumed = 0;
        if (!header_done_) {
            const state found = read_header(bytes, consumed);
            if (found != state::complete) return found;
            if (pauses_) return state::header;
        }
        return read_body(bytes, consumed);
    }

    void reset() noexcept {
        parser_.reset();
        scanned_ = 0;
        header_done_ = done_ = blank_skipped_ = false;
        got_.arena_used = 0;
        got_.fields.clear();
        if (got_.body.capacity() > body_capacity_kept) got_.body = {};
        got_.body.clear();
        got_.value = {};
        got_.wrong = {};
        got_.http_1_0 = got_.chunked = got_.has_length = got_.has_host = got_.expects = false;
        got_.skipping = false;
    }

    std::size_t body_size_max() const noexcept {
        if (got_.chunked) return got_.body_size_max();
        return static_cast<std::size_t>(parser_->content_length().value_or(0));
    }

    bool skip_body() noexcept {
        got_.skipping = !got_.expects && !got_.chunked && body_size_max() <= skipped_max;
        return got_.skipping;
    }

    collected got_;
    std::optional<message_parser> parser_;
    bool header_done_ = false;
    bool keep_alive_ = false;

private:
    // complete: the header is.
    state read_header(std::string_view bytes, std::size_t& consumed) {
        if (!blank_skipped_ && bytes.starts_with("\r\n")) {  // one, as RFC 9112, 2.2 asks for
            blank_skipped_ = true;
            consumed = 2;
            bytes.remove_prefix(2);
        }
        if (bytes == "\r" && !blank_skipped_) return state::need_more;
        if (!bytes.empty() && !is_token_char(bytes.front())) {  // TLS, say: no line will ever end
            got_.wrong = {&problems::bad_request, "the method is no token"};
            return state::failed;
        }
        const std::size_t size = find_header_end(bytes, scanned_, got_.wrong);
        if (got_.wrong.kind) return state::failed;
        if (size > got_.limits.header_size_max ||
            (size == 0 && bytes.size() >= got_.limits.header_size_max)) {
            const bool in_target =
                bytes.substr(0, got_.limits.header_size_max).find('\n') == bytes.npos;
            got_.wrong = {in_target ? &problems::uri_too_long : &problems::header_too_large, {}};
            return state::failed;
        }
        if (size == 0) return state::need_more;
        parser_.emplace(got_);
        if (!put(bytes.substr(0, size), consumed)) return state::failed;
        if (!header_done_) {
            got_.wrong = {&problems::bad_request, {}};
            return state::failed;
        }
        keep_alive_ = parser_->keep_alive();  // now: Beast also listens to trailers
        return state::complete;
    }

    state read_body(std::string_view bytes, std::size_t& consumed) {
        while (!done_) {
            const std::size_t before = consumed;
            if (before == bytes.size()) return state::need_more;
            // At least "0 CR LF CR LF" is still to come, and Beast asserts that it sees as much.
            if (got_.chunked && bytes.size() - before < 5) return state::need_more;
            if (!put(bytes.substr(before), consumed)) return state::failed;
            if (consumed == before) break;
        }
        if (done_) return state::complete;
        // A chunk's size line or the trailers, which have to be whole to be read.
        const std::string_view rest = bytes.substr(consumed);
        if (has_bare_lf(rest)) {  // Beast would wait for a CR LF
            got_.wrong = {&problems::bad_request, "a line does not end with CR LF"};
            return state::failed;
        }
        if (rest.size() < got_.limits.header_size_max) return state::need_more;
        got_.wrong = {&problems::header_too_large, "the trailers are too large"};
        return state::failed;
    }

    bool put(std::string_view bytes, std::size_t& consumed) {
        error_code ec;
        consumed += parser_->read(bytes, ec);
        got_.value.fields = got_.fields;
        if (ec && ec != beast_http::error::need_more) {
            if (!got_.wrong.kind) got_.wrong = {&problems::bad_request, {}};
            return false;
        }
        header_done_ = parser_->is_header_done();
        done_ = parser_->is_done();
        got_.value.body = got_.body;
        return true;
    }

    const bool pauses_;
    std::size_t scanned_ = 0;
    bool done_ = false;
    bool blank_skipped_ = false;
};

request_parser::request_parser(const request_limits& limits, bool pauses)
    : impl_(std::make_unique<impl>(limits, pauses)) {}
request_parser::~request_parser() = default;

request_parser::state request_parser::feed(std::string_view bytes, std::size_t& consumed) {
    return impl_->feed(bytes, consumed);
}

void request_parser::reset() noexcept {
    impl_->reset();
}
bool request_parser::header_done() const noexcept {
    return impl_->header_done_;
}
std::size_t request_parser::body_size_max() const noexcept {
    return impl_->body_size_max();
}
bool request_parser::skip_body() noexcept {
    return impl_->skip_body();
}
bool request_parser::skipping() const noexcept {
    return impl_->got_.skipping;
}
bool request_parser::keep_alive() const noexcept {
    return impl_->keep_alive_;
}
bool request_parser::http_1_0() const noexcept {
    return impl_->got_.http_1_0;
}
request& request_parser::value() noexcept {
    return impl_->got_.value;
}

bool request_parser::take_expectation() noexcept {
    return std::exchange(impl_->got_.expects, false);
}

const problem_kind& request_parser::fault() const noexcept {
    return *impl_->got_.wrong.kind;
}
std::string_view request_parser::fault_detail() const noexcept {
    return impl_->got_.wrong.detail;
}

}  // namespace orderproc::server::http
