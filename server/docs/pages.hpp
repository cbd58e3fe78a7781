#ifndef ORDERPROC_SERVER_DOCS_PAGES_HPP
#define ORDERPROC_SERVER_DOCS_PAGES_HPP

// The files of this folder, and Swagger UI's, as they are in the binary.

#include <span>
#include <string>
#include <string_view>

namespace orderproc::server {

struct page {
    std::string_view path;
    std::string_view content_type;
    std::string_view etag;     // a weak one: of what is packed
    std::string_view gzipped;  // RFC 1952
};

std::span<const page> pages() noexcept;
const page* find_page(std::string_view path) noexcept;  // or nullptr

// REQUIRES: gzip made it. Throws if there is no memory for it.
std::string unpack(std::string_view gzipped);

}  // namespace orderproc::server

#endif
