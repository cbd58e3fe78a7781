#include "core/utf8.hpp"

#include <orderproc/dead_letters.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// Orders that are read at once: they may be large.
constexpr std::size_t dead_letter_step = 100;
// Beyond so many digits, with a letter among them or not, a hexadecimal word is a number.
constexpr std::size_t hex_size_min = 6;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           byte >= 0x80;
}

// The end of the quoted text that begins at `at`, or at itself. An apostrophe within a word is
// none.
std::size_t end_of_quoted(std::string_view text, std::size_t at) noexcept {
    const char quote = text[at];
    if (quote != '"' && quote != '\'' && quote != '`') return at;
    if (quote == '\'' && at > 0 && is_word(text[at - 1])) return at;
    const std::size_t end = text.find(quote, at + 1);
    return end == text.npos ? at : end + 1;
}

// Whether a word stands for a number: it has a digit, and is one, or hexadecimal and long enough.
bool is_number(std::string_view word) noexcept {
    if (std::none_of(word.begin(), word.end(), is_digit)) return false;
    if (std::all_of(word.begin(), word.end(), is_digit)) return true;
    if (word.starts_with("0x") || word.starts_with("0X")) return true;
    return word.size() >= hex_size_min && std::all_of(word.begin(), word.end(), is_hex);
}

// Whether a UUID (RFC 9562) in its text form begins there.
constexpr std::size_t uuid_size = 36;
bool is_uuid(std::string_view text) noexcept {
    if (text.size() < uuid_size) return false;
    if (text.size() > uuid_size && is_word(text[uuid_size])) return false;
    for (std::size_t i = 0; i < uuid_size; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
    }
    return true;
}

// Identifiers with digits in them, such as 01JQ8ZK4M2X7, differ from order to order.
bool is_identifier(std::string_view word) noexcept {
    constexpr std::size_t size_min = 8;
    if (word.size() < size_min) return false;
    const auto digits = std::count_if(word.begin(), word.end(), is_digit);
    return digits >= 3;
}

void append_number(std::string& out) {
    // "4711-4712" and "1.5" are one number, as UUIDs and addresses are.
    if (out.size() >= 2 && out[out.size() - 2] == '#' &&
        (out.back() == '-' || out.back() == '.' || out.back() == ':')) {
        out.pop_back();
        return;
    }
    if (out.empty() || out.back() != '#') out += '#';
}

std::string cut(std::string text) {
    if (text.size() <= reason_group_size_max) return text;
    const char* at = text.data();
    const char* const end = at + reason_group_size_max;
    while (at != end) {
        const detail::utf8_step step = detail::step_utf8(at, text.data() + text.size());
        if (step.size > static_cast<std::size_t>(end - at)) break;
        at += step.size;
    }
    text.resize(static_cast<std::size_t>(at - text.data()));
    return text;
}

struct growing_group {
    dead_letter_group shown;
    bool begun = false;
};

void add_to_group(const order& it, timestamp recent_from, growing_group& to) {
    dead_letter_group& out = to.shown;
    const timestamp at = it.settled_at.value_or(it.updated_at);
    ++out.orders;
    if (at >= recent_from) ++out.recent;
    if (!to.begun || at < out.first_at) out.first_at = at;
    if (!to.begun || at > out.last_at) {
        out.last_at = at;
        out.example_order = it.id.view();
        out.example_reason = it.last_error;
    }
    to.begun = true;
}

}  // namespace

std::string reason_group(std::string_view reason) {
    std::string out;
    for (std::size_t at = 0; at < reason.size();) {
        if (const std::size_t end = end_of_quoted(reason, at); end != at) {
            if (out.empty() || out.back() != '#') out += '#';
            at = end;
            continue;
        }
        if (is_uuid(reason.substr(at)) && (at == 0 || !is_word(reason[at - 1]))) {
            append_number(out);
            at += uuid_size;
            continue;
        }
        std::size_t end = at;
        while (end < reason.size() && is_word(reason[end])) ++end;
        if (end == at) {
            out += reason[at++];
            continue;
        }
        const std::string_view word = reason.substr(at, end - at);
        if (is_number(word) || is_identifier(word)) {
            append_number(out);
        } else {
            out += word;
        }
        at = end;
    }
    return cut(std::move(out));
}

std::vector<order_status> failed_statuses(const status_machine& machine) {
    std::vector<order_status> out;
    for (const work_stage& it : machine.stages()) {
        if (std::find(out.begin(), out.end(), it.failed) == out.end()) out.push_back(it.failed);
    }
    return out;
}

result<dead_letter_groups> group_dead_letters(repository_reader& from,
                                              const status_machine& machine,
                                              const group_dead_letters_params& params) {
    dead_letter_groups out;
    const auto counted = from.count();
    if (!counted) return counted.error();
    const auto statuses = failed_statuses(machine);
    for (const status_count& it : counted->orders) {
        if (std::find(statuses.begin(), statuses.end(), it.status) != statuses.end()) {
            out.orders += it.orders;
        }
    }
    std::map<std::string, growing_group> found;
    list_params what;
    what.statuses = statuses;
    while (!statuses.empty() && out.looked_at < params.orders_max) {
        what.limit = std::min(dead_letter_step, params.orders_max - out.looked_at);
        auto page = from.list(what);
        if (!page) return std::move(page).error();
        for (const order& it : page->orders) {
            growing_group& to = found[reason_group(it.last_error)];
            add_to_group(it, params.recent_from, to);
        }
        out.looked_at += page->orders.size();
        out.complete = !page->next;
        if (!page->next || (params.enough && params.enough())) break;
        what.after = std::move(page->next);
    }
    for (auto& [reason, it] : found) {
        it.shown.reason = reason;
        out.groups.push_back(std::move(it.shown));
    }
    std::stable_sort(out.groups.begin(), out.groups.end(),
                     [](const auto& a, const auto& b) { return a.orders > b.orders; });
    while (out.groups.size() > params.groups_max) {
        out.other_orders += out.groups.back().orders;
        out.groups.pop_back();
    }
    return out;
}

result<order_page> list_dead_letters(repository_reader& from, const status_machine& machine,
                                     const list_dead_letters_params& params) {
    order_page out;
    const auto statuses = failed_statuses(machine);
    list_params what;
    what.statuses = statuses;
    what.after = params.after;
    for (std::size_t looked = 0; !statuses.empty() && looked < params.rows_max;) {
        what.limit = std::min(dead_letter_step, params.rows_max - looked);
        auto page = from.list(what);
        if (!page) return std::move(page).error();
        if (looked == 0) out.newest = page->newest;
        looked += std::max<std::size_t>(page->orders.size(), 1);
        for (order& it : page->orders) {
            const bool last = &it == &page->orders.back() && !page->next;
            list_position place;
            place.at = it.created_at;
            place.number = it.number;
            if (reason_group(it.last_error) == params.reason) out.orders.push_back(std::move(it));
            out.next = last ? std::nullopt : std::optional(std::move(place));
            if (out.orders.size() == params.limit) return out;
        }
        out.next = page->next;
        if (!page->next) return out;
        what.after = std::move(page->next);
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
