#ifndef ORDERPROC_LIB_BRIDGE_JSON_READER_HPP
#define ORDERPROC_LIB_BRIDGE_JSON_READER_HPP

// A strict pull reader of JSON text (RFC 8259).
//
// Boost.JSON's basic_parser would do but for three things that callers are promised: it does
// not say where an error is, nor where a value begins and ends (metadata is kept as its bytes),
// and it refuses numbers with huge exponents, which are JSON. The tests hold this reader
// against it.

#include <orderproc/json.hpp>

#include <boost/container/small_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

enum class json_kind : std::uint8_t { none, null, boolean, number, string, array, object };

// Views the text, which must outlive it. The first error sticks: from then on nothing comes
// next, every loop ends and every view is empty, so that callers ask for failed() once.
//
// Whatever of a value is not read must be skipped before going on to what follows it.
class json_reader {
public:
    static constexpr std::size_t depth_max = 32;
    static constexpr std::size_t around_max = 4;  // of whatever shows orders

    // around: of the levels, so many are not the value's own and do not count.
    explicit json_reader(std::string_view text, std::size_t around = 0) noexcept
        : begin_(text.data()),
          at_(begin_),
          end_(begin_ + text.size()),
          levels_(depth_max + around) {}

    // What value comes next, which is an error if there is none. Does not consume it.
    json_kind next() noexcept;

    // Each REQUIRES that next() has said so.
    std::string_view number() noexcept;  // as it stands in the text
    std::string_view string();           // unescaped; valid until the next string or name
    void open() noexcept;                // an array or an object

    // To the next item or member of what was opened last; false at its end, which is consumed.
    bool next_item() noexcept;
    bool next_name(std::string_view& name);  // a name that was there before is an error

    void skip();             // any value
    std::string_view raw();  // the same, and returns its text
    void finish() noexcept;  // nothing but space may follow

    bool failed() const noexcept { return detail_ != nullptr; }
    syntax_error error() const;  // REQUIRES: failed()

private:
    // The inside of a string's quotes.
    struct token {
        std::string_view text;
        bool escaped = false;
    };
    // Up to here a new name is compared with each other one; objects with more are sorted.
    static constexpr std::size_t few_names = 16;

    static int compare(const token& left, const token& right) noexcept;
    void fail(const char* where, const char* detail) noexcept;
    void skip_space() noexcept;
    bool digits() noexcept;
    bool literal(std::string_view word) noexcept;
    bool hex(char32_t& code) noexcept;
    bool escape() noexcept;
    bool quoted(token& out) noexcept;
    std::string_view unescaped(const token& it);
    bool next_of(char closing, const char* missing) noexcept;
    bool add_name(const token& name);
    void close_names() noexcept;

    const char* begin_;
    const char* at_;
    const char* end_;
    const std::size_t levels_;
    const char* where_ = nullptr;
    const char* detail_ = nullptr;
    bool fresh_ = false;  // just opened: no comma before what comes
    std::size_t depth_ = 0;
    std::array<std::size_t, depth_max + around_max>
        first_name_{};                                 // of the containers that are open
    boost::container::small_vector<token, 32> names_;  // of the objects that are open
    std::string buffer_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
