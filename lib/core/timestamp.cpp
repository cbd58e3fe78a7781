#include <orderproc/timestamp.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

constexpr timestamp first_shown = sys_days(std::chrono::year(0) / 1 / 1);
constexpr timestamp last_shown =
    sys_days(std::chrono::year(9999) / 12 / 31) + days(1) - milliseconds(1);

char* put_two(char* out, unsigned value) noexcept {
    out[0] = static_cast<char>('0' + value / 10);
    out[1] = static_cast<char>('0' + value % 10);
    return out + 2;
}

char* put(char* out, char c) noexcept {
    *out = c;
    return out + 1;
}

// Reads from the front of a text; each call says whether it found what it wanted.
class scanner {
public:
    explicit scanner(std::string_view text) noexcept
        : at_(text.data()), end_(text.data() + text.size()) {}

    bool at_end() const noexcept { return at_ == end_; }

    bool one_of(char a, char b) noexcept {
        if (at_end() || (*at_ != a && *at_ != b)) return false;
        ++at_;
        return true;
    }
    bool literal(char c) noexcept { return one_of(c, c); }

    bool number(int size, int max, int& out) noexcept {
        if (end_ - at_ < size) return false;
        out = 0;
        for (int i = 0; i < size; ++i) {
            if (!at_digit()) return false;
            out = out * 10 + (*at_++ - '0');
        }
        return out <= max;
    }

    // One digit or more; what is finer than a millisecond is cut off.
    bool fraction(milliseconds& out) noexcept {
        if (!at_digit()) return false;
        for (int weight = 100; at_digit(); weight /= 10)
            out += milliseconds((*at_++ - '0') * weight);
        return true;
    }

private:
    bool at_digit() const noexcept { return at_ != end_ && *at_ >= '0' && *at_ <= '9'; }

    const char* at_;
    const char* end_;
};

bool scan_date(scanner& from, sys_days& out) noexcept {
    int year = 0;
    int month = 0;
    int day = 0;
    if (!from.number(4, 9999, year) || !from.literal('-') || !from.number(2, 12, month) ||
        !from.literal('-') || !from.number(2, 31, day)) {
        return false;
    }
    const auto date = std::chrono::year(year) / month / day;
    if (!date.ok()) return false;
    out = date;
    return true;
}

// How far local time is ahead of UTC.
bool scan_offset(scanner& from, minutes& out) noexcept {
    if (from.one_of('Z', 'z')) return true;
    const bool behind = from.literal('-');
    if (!behind && !from.literal('+')) return false;
    int hour = 0;
    int minute = 0;
    if (!from.number(2, 23, hour) || !from.literal(':') || !from.number(2, 59, minute))
        return false;
    out = hours(hour) + minutes(minute);
    if (behind) out = -out;
    return true;
}

// The UTC time scale has leap seconds only between two months.
bool may_follow_leap_second(std::chrono::sys_seconds time) noexcept {
    const auto day = std::chrono::floor<days>(time);
    return time == day && std::chrono::year_month_day(day).day() == std::chrono::day(1);
}

}  // namespace

void format_to(timestamp value, char* out) noexcept {
    value = std::clamp(value, first_shown, last_shown);
    const auto day = std::chrono::floor<days>(value);
    const std::chrono::year_month_day date(day);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    const auto time = static_cast<unsigned>((value - day).count());
    const unsigned second = time / 1000;
    const unsigned millisecond = time % 1000;
    out = put_two(out, year / 100);
    out = put_two(out, year % 100);
    out = put(out, '-');
    out = put_two(out, static_cast<unsigned>(date.month()));
    out = put(out, '-');
    out = put_two(out, static_cast<unsigned>(date.day()));
    out = put(out, 'T');
    out = put_two(out, second / 3600);
    out = put(out, ':');
    out = put_two(out, second / 60 % 60);
    out = put(out, ':');
    out = put_two(out, second % 60);
    out = put(out, '.');
    out = put_two(out, millisecond / 10);
    out = put(out, static_cast<char>('0' + millisecond % 10));
    put(out, 'Z');
}

std::string to_string(timestamp value) {
    std::string out(timestamp_text_size, '\0');
    format_to(value, out.data());
    return out;
}

result<timestamp> parse_timestamp(std::string_view text) {
    scanner from(text);
    sys_days date;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!scan_date(from, date) || !from.one_of('T', 't') || !from.number(2, 23, hour) ||
        !from.literal(':') || !from.number(2, 59, minute) || !from.literal(':') ||
        !from.number(2, 60, second)) {
        return errc::invalid_argument;
    }
    milliseconds fraction{0};
    minutes offset{0};
    if (from.literal('.') && !from.fraction(fraction)) return errc::invalid_argument;
    if (!scan_offset(from, offset) || !from.at_end()) return errc::invalid_argument;
    const auto time = date + hours(hour) + minutes(minute) + seconds(second) - offset;
    if (second == 60 && !may_follow_leap_second(time)) return errc::invalid_argument;
    return time + fraction;
}

}  // namespace v1
}  // namespace orderproc
