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

// The operator's page makes no markup of text either (https://w3c.github.io/trusted-types/).
constexpr std::string_view dashboard_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

// Caches may keep it if they ask each time. False: the client has it.
bool write_cacheable(std::string_view etag, const http::request& in, http::response& out) {
    out.add("ETag", etag);
    out.add("Cache-Control", "no-cache");
    if (!if_none_match_names(in, etag)) return true;
    out.status = 304;
    return false;
}

// found: nullptr if there is no such page.
void write_page(const page* found, std::string_view policy, const http::request& in,
                http::response& out) {
    if (!found) {
        http::write_problem(problems::not_found, {}, in, out);
        return;
    }
    out.add("Vary", "Accept-Encoding");
    if (!write_cacheable(found->etag, in, out)) return;
    out.add("Content-Security-Policy", policy);
    out.add("Referrer-Policy", "no-referrer");
    out.content_type = found->content_type;
    if (accepts_gzip(in.find("Accept-Encoding"))) {
        out.add("Content-Encoding", "gzip");
        out.body = found->gzipped;
    } else {
        out.body = unpack(found->gzipped);
    }
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
    const bool left_out = !parts_.dashboard && it.in.path.starts_with("/dashboard/");
    write_page(left_out ? nullptr : find_page(it.in.path), page_policy, it.in, out);
    return false;
}

bool api::get_root(const call& it, http::response& out, pending&) {
    if (const page* found = parts_.dashboard ? find_page("/") : nullptr) {
        write_page(found, dashboard_policy, it.in, out);
        return false;
    }
    out.status = 302;
    out.content_type = "text/plain; charset=utf-8";
    out.add("Location", "docs");  // relative: a proxy may have taken a prefix off the path
    out.body = "The documentation is at docs.\n";
    return false;
}

}  // namespace orderproc::server
