#include "api/list_query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::uint8_t cursor_version = 1;
constexpr std::size_t cursor_bytes = 1 + 3 * 8;  // version, time, number, checksum
constexpr std::size_t cursor_size = (cursor_bytes * 4 + 2) / 3;
constexpr std::string_view base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// FNV-1a (draft-eastlake-fnv) of the parts, each closed by a byte that none contains, with
// SplitMix64's finish to spread the last bits.
class checksum {
public:
    void add(std::uint64_t value) noexcept {
        for (int shift = 0; shift < 64; shift += 8)
            add_byte(static_cast<std::uint8_t>(value >> shift));
    }
    void add(std::string_view text) noexcept {
        for (const char c : text) add_byte(static_cast<std::uint8_t>(c));
        add_byte(0xff);
    }
    void add_optional(const std::optional<std::string>& value) noexcept {
        add_byte(value ? 1 : 0);
        if (value) add(std::string_view(*value));
    }
    void add_optional(const std::optional<timestamp>& value) noexcept {
        add_byte(value ? 1 : 0);
        if (value) add(static_cast<std::uint64_t>(value->time_since_epoch().count()));
    }
    std::uint64_t value() const noexcept {
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

private:
    void add_byte(std::uint8_t byte) noexcept { state_ = (state_ ^ byte) * 0x100000001b3U; }
    std::uint64_t state_ = 0xcbf29ce484222325U;
};

std::uint64_t checksum_of(const list_query& of, const list_position& at) noexcept {
    checksum sum;
    for (const order_status& it : of.statuses) sum.add(it.view());
    sum.add_optional(of.scope.user);
    sum.add_optional(of.scope.tenant);
    sum.add_optional(of.created_from);
    sum.add_optional(of.created_until);
    sum.add(std::uint64_t{of.descending});
    sum.add(static_cast<std::uint64_t>(at.created_at.time_since_epoch().count()));
    sum.add(static_cast<std::uint64_t>(at.number));
    return sum.value();
}

template <class Integer>
bool parse_integer(std::string_view text, Integer low, Integer high, Integer& out) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size() && out >= low && out <= high;
}

// Reads one parameter; the text says what is wrong with it, if anything.
class reader_of_parameters {
public:
    reader_of_parameters(const status_machine& machine, bool statuses_fixed, list_query& out)
        : machine_(machine), statuses_fixed_(statuses_fixed), out_(out) {}

    std::string read(const query_parameter& it) {
        if (it.name == "status" && !statuses_fixed_) return read_statuses(it.value);
        const auto* found = std::find_if(std::begin(rows), std::end(rows),
                                         [&](const row& r) { return r.name == it.name; });
        if (found == std::end(rows)) {
            allowed = list_parameters(!statuses_fixed_);
            return "there is no such parameter";
        }
        bool& seen = seen_[static_cast<std::size_t>(found - rows)];
        if (std::exchange(seen, true)) return "may be given once";
        return (this->*found->read)(it.value);
    }

    struct row {
        std::string_view name;
        std::string (reader_of_parameters::*read)(std::string_view);
    };
    static const row rows[6];

    std::vector<std::string_view> allowed;  // instead, where that is a list

private:
    std::string read_statuses(std::string_view value) {
        for (;;) {
            const std::size_t comma = value.find(',');
            const auto status = find_status(value.substr(0, comma), machine_);
            if (!status) {
                allowed = names_of_statuses(machine_);
                return "there is no such status";
            }
            out_.statuses.push_back(*status);
            if (comma == value.npos) return {};
            value.remove_prefix(comma + 1);
        }
    }
    std::string read_user(std::string_view value) {
        std::int64_t user = 0;
        if (!parse_integer(value, std::int64_t{1}, INT64_MAX, user)) {
            return "has to be an integer of 1 or more";
        }
        out_.scope.user = std::to_string(user);
        return {};
    }
    static std::string read_time(std::string_view value, std::optional<timestamp>& to) {
        auto time = parse_timestamp(value);
        if (!time) return "has to be an RFC 3339 date-time";
        to = *time;
        return {};
    }
    std::string read_from(std::string_view value) { return read_time(value, out_.created_from); }
    std::string read_until(std::string_view value) { return read_time(value, out_.created_until); }
    std::string read_sort(std::string_view value) {
        if (value != "created_at" && value != "-created_at") {
            allowed = {"created_at", "-created_at"};
            return "has to be created_at or -created_at";
        }
        out_.descending = value.front() == '-';
        return {};
    }
    std::string read_limit(std::string_view value) {
        if (!parse_integer(value, std::size_t{1}, list_query::limit_max, out_.limit)) {
            return "has to be an integer from 1 to " + std::to_string(list_query::limit_max);
        }
        return {};
    }
    std::string read_nothing(std::string_view) { return {}; }  // the cursor: when all is known

    const status_machine& machine_;
    bool statuses_fixed_;
    list_query& out_;
    std::array<bool, 6> seen_{};
};

const reader_of_parameters::row reader_of_parameters::rows[6] = {
    {"user_id", &reader_of_parameters::read_user},
    {"created_from", &reader_of_parameters::read_from},
    {"created_until", &reader_of_parameters::read_until},
    {"sort", &reader_of_parameters::read_sort},
    {"limit", &reader_of_parameters::read_limit},
    {"cursor", &reader_of_parameters::read_nothing},
};

void put(std::uint64_t value, std::uint8_t* to) noexcept {
    for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

std::uint64_t get(const std::uint8_t* from) noexcept {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | from[i];
    return value;
}

}  // namespace

list_params list_query::params() const {
    list_params out;
    out.statuses = statuses;
    out.scope = scope;
    out.created_from = created_from;
    out.created_until = created_until;
    out.descending = descending;
    out.after = after;
    out.limit = limit;
    return out;
}

std::optional<order_status> find_status(std::string_view text, const status_machine& machine) {
    std::string upper(text);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    }
    const auto status = order_status::parse(upper);
    if (!status || !machine.contains(*status)) return std::nullopt;
    return *status;
}

std::vector<std::string_view> names_of_statuses(const status_machine& machine) {
    std::vector<std::string_view> out;
    for (const order_status& it : machine.statuses()) out.push_back(it.view());
    return out;
}

std::vector<std::string_view> list_parameters(bool with_status) {
    std::vector<std::string_view> out;
    if (with_status) out.emplace_back("status");
    for (const auto& it : reader_of_parameters::rows) out.push_back(it.name);
    return out;
}

std::optional<bad_parameter> parse_list_query(const std::vector<query_parameter>& parameters,
                                              const status_machine& machine,
                                              std::optional<order_status> fixed, list_query& out) {
    reader_of_parameters reading(machine, fixed.has_value(), out);
    const std::string* cursor = nullptr;
    for (const query_parameter& it : parameters) {
        if (std::string wrong = reading.read(it); !wrong.empty()) {
            return bad_parameter{it.name, std::move(wrong), std::move(reading.allowed)};
        }
        if (it.name == "cursor") cursor = &it.value;
    }
    if (fixed) out.statuses.assign(1, *fixed);
    std::sort(out.statuses.begin(), out.statuses.end());
    out.statuses.erase(std::unique(out.statuses.begin(), out.statuses.end()), out.statuses.end());
    if (cursor) {
        out.after = read_cursor(out, *cursor);
        if (!out.after) return bad_parameter{"cursor", "is not one of this list's", {}};
    }
    return std::nullopt;
}

std::string make_cursor(const list_query& of, const list_position& at) {
    std::array<std::uint8_t, cursor_bytes> bytes;
    bytes[0] = cursor_version;
    put(static_cast<std::uint64_t>(at.created_at.time_since_epoch().count()), &bytes[1]);
    put(static_cast<std::uint64_t>(at.number), &bytes[9]);
    put(checksum_of(of, at), &bytes[17]);
    std::string out;
    out.reserve(cursor_size);
    unsigned held = 0;
    int bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = (held << 8 | byte) & 0xffff;
        for (bits += 8; bits >= 6; bits -= 6) out.push_back(base64url[held >> (bits - 6) & 63]);
    }
    if (bits > 0) out.push_back(base64url[held << (6 - bits) & 63]);
    return out;
}

std::optional<list_position> read_cursor(const list_query& of, std::string_view cursor) {
    if (cursor.size() != cursor_size) return std::nullopt;
    std::array<std::uint8_t, cursor_bytes> bytes;
    std::size_t used = 0;
    unsigned held = 0;
    int bits = 0;
    for (const char c : cursor) {
        const std::size_t digit = base64url.find(c);
        if (digit == base64url.npos) return std::nullopt;
        held = (held << 6 | static_cast<unsigned>(digit)) & 0xffff;
        bits += 6;
        if (bits >= 8 && used < bytes.size()) {
            bits -= 8;
            bytes[used++] = static_cast<std::uint8_t>(held >> bits);
        }
    }
    list_position at;
    at.created_at = timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(get(&bytes[1]))));
    at.number = static_cast<std::int64_t>(get(&bytes[9]));
    if (bytes[0] != cursor_version || get(&bytes[17]) != checksum_of(of, at)) return std::nullopt;
    return make_cursor(of, at) == cursor ? std::optional(at) : std::nullopt;  // stray last bits
}

}  // namespace orderproc::server
