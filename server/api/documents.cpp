// What explains the API.

#include "api/api.hpp"
#include "api/negotiation.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/text.hpp"
#include "docs/pages.hpp"

#include <orderproc/model_file.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

// A page runs nothing but the files beside it, and speaks with nobody else.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Caches may keep it if they ask each time. False: the client has it.
bool write_cacheable(std::string_view etag, const http::request& in, http::response& out) {
    out.add("ETag", etag);
    out.add("Cache-Control", "no-cache");
    if (!if_none_match_names(in, etag)) return true;
    out.status = 304;
    return false;
}

}  // namespace

bool api::get_model(const call& it, http::response& out, pending&) {
    std::string text = to_json(engine_.model(), engine_.machine());
    if (write_cacheable(tag_of(text), it.in, out)) out.body = std::move(text);
    return false;
}

bool api::get_openapi(const call& it, http::response& out, pending&) {
    const auto document = openapi_.get();
    if (write_cacheable(document->etag, it.in, out)) out.body = document->text;
    return false;
}

bool api::get_docs(const call& it, http::response& out, pending&) {
    const page* found = find_page(it.in.path);
    if (!found) {
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    out.add("Vary", "Accept-Encoding");
    if (!write_cacheable(found->etag, it.in, out)) return false;
    out.add("Content-Security-Policy", page_policy);
    out.add("Referrer-Policy", "no-referrer");
    out.content_type = found->content_type;
    if (accepts_gzip(it.in.find("Accept-Encoding"))) {
        out.add("Content-Encoding", "gzip");
        out.body = found->gzipped;
    } else {
        out.body = unpack(found->gzipped);
    }
    return false;
}

bool api::get_root(const call&, http::response& out, pending&) {
    out.status = 302;
    out.content_type = "text/plain; charset=utf-8";
    out.add("Location", "docs");  // relative: a proxy may have taken a prefix off the path
    out.body = "The documentation is at docs.\n";
    return false;
}

}  // namespace orderproc::server
