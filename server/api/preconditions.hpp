#ifndef ORDERPROC_SERVER_API_PRECONDITIONS_HPP
#define ORDERPROC_SERVER_API_PRECONDITIONS_HPP

// Entity tags and what requests make depend on them (RFC 9110, 8.8.3 and 13.1).

#include "http/message.hpp"

#include <orderproc/order.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace orderproc::server {

// The tag of an order: its version in quotes.
class etag {
public:
    explicit etag(order_version version) noexcept;
    std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 22> text_;
    std::size_t size_;
};

// The tag of a document that is what its bytes are: a digest of them, in quotes.
std::string tag_of(std::string_view document);

// If-None-Match, which compares weakly: does it name the tag?
bool if_none_match_names(const http::request& in, std::string_view etag) noexcept;
bool if_none_match_names(const http::request& in, order_version version) noexcept;

// If-Match, which compares strongly: a weak tag is nobody's.
class if_match {
public:
    explicit if_match(const http::request& in) noexcept : in_(in) {}  // outlives it

    bool names_versions() const noexcept;  // there is one, and it is not "*"
    bool admits(order_version version) const noexcept;
    // The first version that it names; 0, which no order has, if there is none.
    // REQUIRES: names_versions().
    order_version first() const noexcept;
    bool has_weak_tag() const noexcept;  // as proxies make of a tag when they compress an answer

private:
    const http::request& in_;
};

}  // namespace orderproc::server

#endif
