#ifndef ORDERPROC_LIB_CORE_JSON_READER_HPP
#define ORDERPROC_LIB_CORE_JSON_READER_HPP

// A strict pull reader of JSON text (RFC 8259). The core judges metadata with it, and the JSON
// bridge reads bodies with it, so that both have the same rules.
//
// Boost.JSON's basic_parser would do but for three things that callers are promised: it does
// not say where an error is, nor where a value begins and ends (metadata is kept as its bytes),
// and it refuses numbers with huge exponents, which are JSON. The tests hold this reader
// against it.

#include <orderproc/config.hpp>

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

// Where a text stops being JSON. Lines and columns count from 1, columns in bytes.
struct json_fault {
    std::size_t line = 0;
    std::size_t column = 0;
    const char* detail = nullptr;
};

// What is JSON, but not fit to be kept as it is and shown to others.
enum class json_breach : std::uint8_t {
    none,
    too_large,
    number,     // one that common readers of JSON refuse, or turn into infinity
    character,  // U+0000, which databases and C programs cannot hold
};

// A value as its text.
struct kept_json {
    std::string_view text;
    json_breach breach = json_breach::none;  // the first there is
    const char* where = nullptr;             // in text, if there is one
};

// Views the text, which must outlive it. The first error sticks: from then on nothing comes
// next, every loop ends and every view is empty, so that callers ask for failed() once.
//
// Whatever of a value is not read must be skipped before going on to what follows it.
class ORDERPROC_EXPORT json_reader {
public:
    static constexpr std::size_t depth_max = 32;  // of an order
    static constexpr std::size_t around_max = 4;  // of whatever shows orders
    // An object that is read by its names has at most so many members.
    static constexpr std::size_t names_max = 4096;
    // A number that is kept: characters, and digits of its exponent.
    static constexpr std::size_t number_size_max = 128;
    static constexpr std::size_t exponent_digits_max = 3;

    // levels: how deep the text may nest, depth_max + around_max at most.
    explicit json_reader(std::string_view text, std::size_t levels = depth_max) noexcept
        : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), levels_(levels) {}

    // What value comes next, which is an error if there is none. Does not consume it.
    json_kind next() noexcept;

    // Each REQUIRES that next() has said so.
    std::string_view number() noexcept;  // as it stands in the text
    std::string_view string();           // unescaped; valid until the next string or name
    void open() noexcept;                // an array or an object

    // To the next item or member of what was opened last; false at its end, which is consumed.
    bool next_item() noexcept;
    bool next_name(std::string_view& name);  // a name that was there before is an error
    // For callers who notice by themselves that the last name was there before.
    void refuse_name() noexcept;

    // Any value, by its syntax alone: takes time linear in its text. Names may repeat.
    void skip();
    std::string_view raw();  // the same, and returns its text
    // Any value that is to be kept as its text. Within the first size_max bytes no name may
    // repeat within an object and no number or character be one that others cannot read; behind
    // these, or behind a breach, it is judged by its syntax alone.
    kept_json keep(std::size_t size_max);
    void finish() noexcept;  // nothing but space may follow

    bool failed() const noexcept { return detail_ != nullptr; }
    json_fault fault() const noexcept;  // REQUIRES: failed()

    // How often two names were compared: what the search for repeated names has cost so far.
    std::size_t comparisons() const noexcept { return comparisons_; }

private:
    // The inside of a string's quotes.
    struct token {
        std::string_view text;
        bool escaped = false;
        std::uint64_t hash = 0;  // of the bytes that it stands for, once it is needed
    };
    // Up to here a new name is compared with each other one; objects with more are sorted by
    // their names' hashes.
    static constexpr std::size_t few_names = 16;

    int compare(const token& left, const token& right) noexcept;
    std::uint64_t hash_of(const token& name) const noexcept;
    void pass();
    bool next_member(token& name);
    void breach(json_breach what, const char* where) noexcept;
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
    bool fresh_ = false;              // just opened: no comma before what comes
    bool names_count_ = true;         // names are collected, and may not repeat
    const char* kept_end_ = nullptr;  // of what keep() judges; none: nothing is kept
    json_breach breach_ = json_breach::none;
    const char* breach_at_ = nullptr;
    const char* name_at_ = nullptr;  // the last name's opening quote
    std::size_t comparisons_ = 0;
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
