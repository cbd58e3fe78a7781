#include "core/json_reader.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

// What may stand in a string as it is, one byte at a time.
constexpr std::array<bool, 256> plain = [] {
    std::array<bool, 256> out{};
    for (std::size_t i = 0x20; i < 0x80; ++i) out[i] = i != '"' && i != '\\';
    return out;
}();

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr const char* repeated_name = "a name that its object has already";

int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The bytes that the inside of a well-formed JSON string stands for, one after the other.
class unescaping {
public:
    explicit unescaping(std::string_view text) noexcept
        : at_(text.data()), end_(at_ + text.size()) {}

    int next() noexcept {  // -1: no more
        if (used_ != size_) return static_cast<unsigned char>(bytes_[used_++]);
        if (at_ == end_) return -1;
        if (*at_ != '\\') return static_cast<unsigned char>(*at_++);
        at_ += 2;
        switch (at_[-1]) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                break;
            default:
                return static_cast<unsigned char>(at_[-1]);
        }
        char32_t code = unit();
        if (code >= 0xD800 && code < 0xDC00) {
            at_ += 2;
            code = 0x10000 + ((code - 0xD800) << 10) + (unit() - 0xDC00);
        }
        size_ = write_utf8(code, bytes_);
        used_ = 1;
        return static_cast<unsigned char>(bytes_[0]);
    }

private:
    char32_t unit() noexcept {
        char32_t out = 0;
        for (int i = 0; i < 4; ++i) out = out * 16 + static_cast<char32_t>(hex_value(*at_++));
        return out;
    }

    const char* at_;
    const char* end_;
    char bytes_[4]{};
    std::size_t used_ = 0;
    std::size_t size_ = 0;
};

// Whether JSON readers of any make take the number, which is one by its syntax: Python refuses
// integers of more than 4,300 digits, Java exponents beyond 32 bits, and JavaScript makes
// infinity of what a double cannot hold.
bool is_common_number(std::string_view number) noexcept {
    if (number.size() > json_reader::number_size_max) return false;
    const std::size_t e = number.find_first_of("eE");
    if (e == std::string_view::npos) return true;
    std::string_view exponent = number.substr(e + 1);
    if (!is_digit(exponent.front())) exponent.remove_prefix(1);
    if (exponent.size() > json_reader::exponent_digits_max) return false;
    double value = 0;
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), value);
    // from_chars() also says so of what is too small, which every reader takes for 0.
    return ec == std::errc() || number[e + 1] == '-';
}

}  // namespace

void json_reader::fail(const char* where, const char* detail) noexcept {
    if (failed()) return;
    where_ = where;
    detail_ = detail;
    at_ = end_;
}

json_fault json_reader::fault() const noexcept {
    const std::string_view before(begin_, static_cast<std::size_t>(where_ - begin_));
    const auto newlines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return {static_cast<std::size_t>(newlines) + 1, before.size() - line_start + 1, detail_};
}

void json_reader::skip_space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

json_kind json_reader::next() noexcept {
    if (failed()) return json_kind::none;
    skip_space();
    if (at_ == end_) {
        fail(at_, "the text ends where a value should be");
        return json_kind::none;
    }
    switch (*at_) {
        case '{':
            return json_kind::object;
        case '[':
            return json_kind::array;
        case '"':
            return json_kind::string;
        case 't':
        case 'f':
            return json_kind::boolean;
        case 'n':
            return json_kind::null;
        default:
            break;
    }
    if (*at_ == '-' || is_digit(*at_)) return json_kind::number;
    fail(at_, at_ == begin_ && *at_ == '\xEF' ? "a byte order mark, or no value"
                                              : "not the beginning of a value");
    return json_kind::none;
}

bool json_reader::digits() noexcept {
    if (at_ == end_ || !is_digit(*at_)) {
        fail(at_, "a digit is missing");
        return false;
    }
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return true;
}

std::string_view json_reader::number() noexcept {
    const char* const from = at_;
    if (*at_ == '-') ++at_;
    const char* const whole = at_;
    if (!digits()) return {};
    if (*whole == '0' && at_ - whole > 1) {
        fail(whole, "a number with a leading zero");
        return {};
    }
    if (at_ != end_ && *at_ == '.') {
        ++at_;
        if (!digits()) return {};
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
        ++at_;
        if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
        if (!digits()) return {};
    }
    return {from, static_cast<std::size_t>(at_ - from)};
}

bool json_reader::literal(std::string_view word) noexcept {
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    if (!rest.starts_with(word)) {
        fail(at_, "not the beginning of a value");
        return false;
    }
    at_ += word.size();
    return true;
}

bool json_reader::hex(char32_t& code) noexcept {
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
        const int value = at_ == end_ ? -1 : hex_value(*at_);
        if (value < 0) {
            fail(at_, "a hexadecimal digit is missing");
            return false;
        }
        code = code * 16 + static_cast<char32_t>(value);
    }
    return true;
}

bool json_reader::escape() noexcept {
    const char* const from = at_++;
    const char kind = at_ == end_ ? '\0' : *at_++;
    if (kind != 'u') {
        if (kind != '\0' && std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos) {
            return true;
        }
        fail(from, "an unknown escape");
        return false;
    }
    char32_t code = 0;
    if (!hex(code)) return false;
    if (code == 0) breach(json_breach::character, from);
    if (code < 0xD800 || code > 0xDFFF) return true;
    const bool paired = code < 0xDC00 && end_ - at_ >= 2 && at_[0] == '\\' && at_[1] == 'u';
    if (paired) {
        at_ += 2;
        if (!hex(code)) return false;
    }
    if (paired && code >= 0xDC00 && code <= 0xDFFF) return true;
    fail(from, "half of a surrogate pair");
    return false;
}

bool json_reader::quoted(token& out) noexcept {
    const char* const from = ++at_;
    out.escaped = false;
    for (;;) {
        while (at_ != end_ && plain[static_cast<unsigned char>(*at_)]) ++at_;
        if (at_ == end_) {
            fail(at_, "the text ends within a string");
            return false;
        }
        if (*at_ == '"') break;
        if (*at_ == '\\') {
            out.escaped = true;
            if (!escape()) return false;
            continue;
        }
        if (static_cast<unsigned char>(*at_) < 0x20) {
            fail(at_, "a control character within a string");
            return false;
        }
        const utf8_step step = step_utf8(at_, end_);
        if (!step.valid) {
            fail(at_, "not UTF-8");
            return false;
        }
        at_ += step.size;
    }
    out.text = {from, static_cast<std::size_t>(at_ - from)};
    ++at_;
    return true;
}

std::string_view json_reader::unescaped(const token& it) {
    if (!it.escaped) return it.text;
    buffer_.clear();
    unescaping bytes(it.text);
    for (int c = bytes.next(); c >= 0; c = bytes.next()) buffer_ += static_cast<char>(c);
    return buffer_;
}

std::string_view json_reader::string() {
    token it;
    if (!quoted(it)) return {};
    return unescaped(it);
}

void json_reader::open() noexcept {
    if (depth_ == levels_) {
        fail(at_, levels_ == depth_max ? "nested deeper than 32" : "nested too deep");
        return;
    }
    first_name_[depth_++] = names_.size();
    ++at_;
    fresh_ = true;
}

// To what follows the comma, or beyond the closing bracket.
bool json_reader::next_of(char closing, const char* missing) noexcept {
    if (failed()) return false;
    skip_space();
    const bool first = std::exchange(fresh_, false);
    if (at_ != end_ && *at_ == closing) {
        ++at_;
        return false;
    }
    if (first) return true;
    if (at_ == end_ || *at_ != ',') {
        fail(at_, missing);
        return false;
    }
    ++at_;
    skip_space();
    return true;
}

bool json_reader::next_item() noexcept {
    if (next_of(']', "expected ',' or ']'")) return true;
    if (!failed()) --depth_;
    return false;
}

bool json_reader::next_member(token& name) {
    if (!next_of('}', "expected ',' or '}'")) {
        close_names();
        return false;
    }
    if (at_ == end_ || *at_ != '"') {
        fail(at_, "expected a name in quotes");
        return false;
    }
    name_at_ = at_;
    if (!quoted(name) || !add_name(name)) return false;
    skip_space();
    if (at_ == end_ || *at_ != ':') {
        fail(at_, "expected ':'");
        return false;
    }
    ++at_;
    return true;
}

bool json_reader::next_name(std::string_view& name) {
    token it;
    if (!next_member(it)) return false;
    name = unescaped(it);
    return true;
}

void json_reader::refuse_name() noexcept {
    fail(name_at_, repeated_name);
}

int json_reader::compare(const token& left, const token& right) noexcept {
    ++comparisons_;
    if (!left.escaped && !right.escaped) return left.text.compare(right.text);
    unescaping left_bytes(left.text);
    unescaping right_bytes(right.text);
    for (;;) {
        const int l = left_bytes.next();
        const int r = right_bytes.next();
        if (l != r) return l < r ? -1 : 1;
        if (l < 0) return 0;
    }
}

bool json_reader::add_name(const token& name) {
    if (kept_end_ && at_ > kept_end_) breach(json_breach::too_large, at_);
    if (!names_count_) return true;
    const std::size_t first = first_name_[depth_ - 1];
    if (names_.size() - first == names_max) {
        fail(name_at_, "an object with more than 4096 members");
        return false;
    }
    if (names_.size() - first < few_names) {
        for (std::size_t i = first; i < names_.size(); ++i) {
            if (compare(names_[i], name) != 0) continue;
            fail(name.text.data() - 1, repeated_name);
            return false;
        }
    }
    names_.push_back(name);
    return true;
}

// The start differs from reader to reader: nobody can send names that are made to collide.
std::uint64_t json_reader::hash_of(const token& name) const noexcept {
    std::uint64_t hash = reinterpret_cast<std::uintptr_t>(this) ^ 0x9e3779b97f4a7c15U;
    unescaping bytes(name.text);
    for (int c = bytes.next(); c >= 0; c = bytes.next()) {
        hash = (hash ^ static_cast<std::uint64_t>(c)) * 0xff51afd7ed558ccdU;
        hash ^= hash >> 32;
    }
    return hash;
}

void json_reader::close_names() noexcept {
    if (failed()) return;
    const std::size_t first = first_name_[--depth_];
    if (names_count_ && names_.size() - first > few_names) {
        const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
        for (auto it = begin; it != names_.end(); ++it) it->hash = hash_of(*it);
        std::sort(begin, names_.end(), [this](const token& left, const token& right) {
            if (left.hash != right.hash) return left.hash < right.hash;
            const int order = compare(left, right);
            return order != 0 ? order < 0 : left.text.data() < right.text.data();
        });
        const char* earliest = nullptr;
        for (auto it = begin + 1; it != names_.end(); ++it) {
            if (it[-1].hash != it->hash || compare(it[-1], *it) != 0) continue;
            if (!earliest || it->text.data() < earliest) earliest = it->text.data();
        }
        if (earliest) fail(earliest - 1, repeated_name);
    }
    names_.resize(first);
}

// Only the first breach counts, and nothing more is looked for behind it.
void json_reader::breach(json_breach what, const char* where) noexcept {
    if (!kept_end_) return;
    breach_ = what;
    breach_at_ = where;
    kept_end_ = nullptr;
    names_count_ = false;
}

void json_reader::pass() {
    switch (next()) {
        case json_kind::none:
            return;
        case json_kind::null:
            literal("null");
            return;
        case json_kind::boolean:
            literal(*at_ == 't' ? "true" : "false");
            return;
        case json_kind::number: {
            const std::string_view text = number();
            if (kept_end_ && !failed() && !is_common_number(text)) {
                breach(json_breach::number, text.data());
            }
            return;
        }
        case json_kind::string: {
            token unused;
            quoted(unused);
            return;
        }
        case json_kind::array:
            open();
            while (next_item()) pass();
            return;
        case json_kind::object:
            open();
            for (token name; next_member(name);) pass();
            return;
    }
}

void json_reader::skip() {
    const bool counted = std::exchange(names_count_, false);
    pass();
    names_count_ = counted;
}

std::string_view json_reader::raw() {
    next();
    const char* const from = at_;
    skip();
    if (failed()) return {};
    return {from, static_cast<std::size_t>(at_ - from)};
}

kept_json json_reader::keep(std::size_t size_max) {
    next();
    const char* const from = at_;
    const auto left = static_cast<std::size_t>(end_ - from);
    kept_end_ = from + std::min(size_max, left);
    breach_ = json_breach::none;
    pass();
    const auto size = static_cast<std::size_t>(at_ - from);
    kept_end_ = nullptr;
    names_count_ = true;
    if (failed()) return {};
    if (size > size_max) return {{from, size}, json_breach::too_large, from + size_max};
    return {{from, size}, breach_, breach_ == json_breach::none ? nullptr : breach_at_};
}

void json_reader::finish() noexcept {
    skip_space();
    if (at_ != end_) fail(at_, "something follows the value");
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
