#include "client/http_date.hpp"

#include <array>
#include <span>

namespace orderproc::server {

namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> short_days{"Mon", "Tue", "Wed", "Thu",
                                                     "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                    "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// What a date says, as far as it was read.
struct date_fields {
    unsigned day = 0, month = 0, hour = 0, minute = 0, second = 0;
    int year = 0;
};

// Reads from the front of a text. The first thing that is not there sticks.
class date_reader {
public:
    explicit date_reader(std::string_view text) noexcept : rest_(text) {}

    date_reader& literal(std::string_view text) noexcept {
        if (!rest_.starts_with(text)) return fail();
        rest_.remove_prefix(text.size());
        return *this;
    }
    date_reader& one_of(std::span<const std::string_view> names, unsigned* number = nullptr) {
        for (unsigned i = 0; i < names.size(); ++i) {
            if (!rest_.starts_with(names[i])) continue;
            rest_.remove_prefix(names[i].size());
            if (number) *number = i + 1;
            return *this;
        }
        return fail();
    }
    template <class Number>
    date_reader& digits(std::size_t count, Number& number) noexcept {
        number = 0;
        if (rest_.size() < count) return fail();
        for (const char c : rest_.substr(0, count)) {
            if (c < '0' || c > '9') return fail();
            number = number * 10 + static_cast<Number>(c - '0');
        }
        rest_.remove_prefix(count);
        return *this;
    }
    // As asctime() has it: a space instead of a first zero.
    date_reader& padded_day(unsigned& day) noexcept {
        return rest_.starts_with(' ') ? literal(" ").digits(1, day) : digits(2, day);
    }
    date_reader& time_of_day(date_fields& out) noexcept {
        return digits(2, out.hour)
            .literal(":")
            .digits(2, out.minute)
            .literal(":")
            .digits(2, out.second);
    }
    bool at_end() const noexcept { return !failed_ && rest_.empty(); }

private:
    date_reader& fail() noexcept {
        failed_ = true;
        rest_ = {};
        return *this;
    }

    std::string_view rest_;
    bool failed_ = false;
};

std::optional<sys_seconds> to_time(const date_fields& it) noexcept {
    const std::chrono::year_month_day date{std::chrono::year(it.year), std::chrono::month(it.month),
                                           std::chrono::day(it.day)};
    if (!date.ok() || it.hour > 23 || it.minute > 59 || it.second > 60) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(it.hour) +
           std::chrono::minutes(it.minute) + std::chrono::seconds(it.second);
}

// it.year has two digits.
std::optional<sys_seconds> to_recent_time(date_fields it, sys_seconds now) noexcept {
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const auto last_day = std::chrono::year_month_day(today) + std::chrono::years(50);
    const sys_seconds last = std::chrono::sys_days(last_day) + (now - today);
    const int last_year = static_cast<int>(last_day.year());
    it.year = last_year - (last_year - it.year) % 100;
    const auto found = to_time(it);
    if (found && *found <= last) return found;
    it.year -= 100;
    return to_time(it);
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text, sys_seconds now) noexcept {
    date_fields it;
    const bool imf_fixdate = date_reader(text)
                                 .one_of(short_days)
                                 .literal(", ")
                                 .digits(2, it.day)
                                 .literal(" ")
                                 .one_of(months, &it.month)
                                 .literal(" ")
                                 .digits(4, it.year)
                                 .literal(" ")
                                 .time_of_day(it)
                                 .literal(" GMT")
                                 .at_end();
    if (imf_fixdate) return to_time(it);
    const bool rfc850 = date_reader(text)
                            .one_of(long_days)
                            .literal(", ")
                            .digits(2, it.day)
                            .literal("-")
                            .one_of(months, &it.month)
                            .literal("-")
                            .digits(2, it.year)
                            .literal(" ")
                            .time_of_day(it)
                            .literal(" GMT")
                            .at_end();
    if (rfc850) return to_recent_time(it, now);
    const bool asctime = date_reader(text)
                             .one_of(short_days)
                             .literal(" ")
                             .one_of(months, &it.month)
                             .literal(" ")
                             .padded_day(it.day)
                             .literal(" ")
                             .time_of_day(it)
                             .literal(" ")
                             .digits(4, it.year)
                             .at_end();
    return asctime ? to_time(it) : std::nullopt;
}

}  // namespace orderproc::server
