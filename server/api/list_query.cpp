#include "api/list_query.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orderproc::server {

namespace {

struct named_sort {
    std::string_view name;
    list_sort sort;
};
constexpr std::array sorts{
    named_sort{"created_at", list_sort::created_at},
    named_sort{"order_id", list_sort::order_id},
    named_sort{"due_at", list_sort::due_at},
};
constexpr std::string_view by_change = "updated_at";  // goes with updated_from

// Reads one parameter; the text says what is wrong with it, if anything.
class reader_of_parameters {
public:
    reader_of_parameters(const status_machine& machine, bool statuses_fixed, list_query& out)
        : machine_(machine), statuses_fixed_(statuses_fixed), out_(out) {}

    std::string read(const query_parameter& it) {
        if (it.name == "status" && !statuses_fixed_) {
            return read_statuses(it.value, machine_, out_.statuses, allowed);
        }
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

    // What only all of them together tell.
    std::optional<bad_parameter> judge() {
        if (out_.updated_from) {
            if (!sort_.empty() && sort_ != by_change) {
                return bad_parameter{"sort", "has to be updated_at with updated_from", {by_change}};
            }
            if (out_.total) {
                return bad_parameter{"total", "has to be false with updated_from", {"false"}};
            }
            return std::nullopt;
        }
        if (sort_ == by_change) {
            return bad_parameter{"sort", "updated_at goes with updated_from alone", {}};
        }
        if (sort_.empty() && !out_.id_prefix.empty()) {
            out_.sort = list_sort::order_id;
            out_.descending = false;
        }
        if (out_.sort == list_sort::due_at && out_.statuses.size() != 1) {
            return bad_parameter{"sort", "due_at goes with one status", {}};
        }
        return std::nullopt;
    }

    struct row {
        std::string_view name;
        std::string (reader_of_parameters::*read)(std::string_view);
    };
    static const row rows[9];

    std::vector<std::string_view> allowed;  // instead, where that is a list

private:
    static std::string read_time(std::string_view value, std::optional<timestamp>& to) {
        auto time = parse_timestamp(value);
        if (!time) return "has to be an RFC 3339 date-time";
        to = *time;
        return {};
    }
    std::string read_user(std::string_view value) { return server::read_user(value, out_.scope); }
    std::string read_from(std::string_view value) { return read_time(value, out_.created_from); }
    std::string read_until(std::string_view value) { return read_time(value, out_.created_until); }
    std::string read_updated(std::string_view value) { return read_time(value, out_.updated_from); }
    std::string read_prefix(std::string_view value) {
        if (value.empty() || value.size() > order_id::size_max) {
            return "has to have 1 to " + std::to_string(order_id::size_max) + " bytes";
        }
        out_.id_prefix = value;
        return {};
    }
    std::string read_sort(std::string_view value) {
        sort_ = value;
        if (value == by_change) return {};
        const bool descending = value.starts_with('-');
        const auto* found = std::find_if(sorts.begin(), sorts.end(), [&](const named_sort& it) {
            return it.name == value.substr(descending ? 1 : 0);
        });
        if (found == sorts.end()) {
            allowed = {"created_at", "-created_at", "order_id", "-order_id",
                       "due_at",     "-due_at",     by_change};
            return "there is no such sort";
        }
        out_.sort = found->sort;
        out_.descending = descending;
        return {};
    }
    std::string read_limit(std::string_view value) {
        return server::read_limit(value, list_query::limit_max, out_.limit);
    }
    std::string read_total(std::string_view value) {
        if (value != "true" && value != "false") {
            allowed = {"true", "false"};
            return "has to be true or false";
        }
        out_.total = value == "true";
        return {};
    }
    std::string read_nothing(std::string_view) { return {}; }  // the cursor: when all is known

    const status_machine& machine_;
    bool statuses_fixed_;
    list_query& out_;
    std::string sort_;  // as given
    std::array<bool, 9> seen_{};
};

const reader_of_parameters::row reader_of_parameters::rows[9] = {
    {"user_id", &reader_of_parameters::read_user},
    {"created_from", &reader_of_parameters::read_from},
    {"created_until", &reader_of_parameters::read_until},
    {"updated_from", &reader_of_parameters::read_updated},
    {"order_id_prefix", &reader_of_parameters::read_prefix},
    {"sort", &reader_of_parameters::read_sort},
    {"limit", &reader_of_parameters::read_limit},
    {"total", &reader_of_parameters::read_total},
    {"cursor", &reader_of_parameters::read_nothing},
};

bool read_cursor_into(std::string_view cursor, list_query& to) {
    if (to.updated_from) {
        to.after_change = read_change_cursor(to, cursor);
        return to.after_change.has_value();
    }
    to.after = read_cursor(to, cursor);
    return to.after.has_value();
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
    out.sort = sort;
    out.id_prefix = id_prefix;
    out.count_max = total ? total_max : 0;
    return out;
}

changed_params list_query::changes() const {
    changed_params out;
    out.since = updated_from.value();
    out.after = after_change;
    out.filter = params();
    return out;
}

std::vector<std::string_view> list_parameters(bool with_status) {
    std::vector<std::string_view> out;
    if (with_status) out.emplace_back("status");
    for (const auto& it : reader_of_parameters::rows) out.push_back(it.name);
    return out;
}

std::optional<bad_parameter> parse_list_query(const std::vector<query_parameter>& parameters,
                                              const status_machine& machine, const caller& by,
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
    normalize(out.statuses);
    if (auto bad = reading.judge()) return bad;
    if (!narrow(by, out.scope)) return bad_parameter{"user_id", std::string(not_the_callers), {}};
    if (cursor && !read_cursor_into(*cursor, out)) {
        return bad_parameter{"cursor", "is not one of this list's", {}};
    }
    return std::nullopt;
}

}  // namespace orderproc::server
