#include "api/list_query.hpp"

#include "api/attribute_filter.hpp"

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
    reader_of_parameters(const list_resource& of, list_query& out)
        : of_(of), out_(out), attribute_(of.model) {}

    std::string read(const query_parameter& it) {
        if (it.name == "status" && !of_.status) {
            return read_statuses(it.value, of_.machine, out_.statuses, allowed);
        }
        if (auto wrong = read_scope(it.name, it.value, of_.model, out_.scope)) return *wrong;
        if (it.name.starts_with(attribute_filter::prefix)) {
            std::string wrong = attribute_.read(it.name, it.value, allowed);
            if (wrong == no_such_parameter) allowed = attribute_parameters(of_.model);
            return wrong;
        }
        const auto* found = std::find_if(std::begin(rows), std::end(rows),
                                         [&](const row& r) { return r.name == it.name; });
        if (found == std::end(rows)) {
            allowed = list_parameters(of_);
            return std::string(no_such_parameter);
        }
        bool& seen = seen_[static_cast<std::size_t>(found - rows)];
        if (std::exchange(seen, true)) return std::string(given_twice);
        return (this->*found->read)(it.value);
    }

    // What only all of them together tell.
    std::optional<bad_parameter> judge() {
        if (out_.order_id) return judge_one();
        if (out_.updated_from) return judge_changes();
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
        return attribute_.empty() ? std::nullopt : judge_attribute();
    }

    struct row {
        std::string_view name;
        std::string (reader_of_parameters::*read)(std::string_view);
    };
    static constexpr std::size_t rows_size = 9;
    static const row rows[rows_size];

    std::vector<std::string> allowed;  // instead, where that is a list

private:
    // An order that is named has no place in a list.
    std::optional<bad_parameter> judge_one() const {
        for (std::size_t i = 0; i < rows_size; ++i) {
            if (!seen_[i] || rows[i].name == "order_id") continue;
            return bad_parameter{std::string(rows[i].name), "does not go with order_id"};
        }
        if (attribute_.empty()) return std::nullopt;
        return bad_parameter{named_attribute(), "does not go with order_id"};
    }

    std::optional<bad_parameter> judge_changes() const {
        if (!sort_.empty() && sort_ != by_change) {
            return bad_parameter{
                "sort", "has to be updated_at with updated_from", {std::string(by_change)}};
        }
        if (out_.total) {
            return bad_parameter{"total", "has to be false with updated_from", {"false"}};
        }
        if (attribute_.empty()) return std::nullopt;
        return bad_parameter{named_attribute(), "does not go with updated_from"};
    }

    std::optional<bad_parameter> judge_attribute() {
        if (!out_.id_prefix.empty()) {
            return bad_parameter{named_attribute(), "does not go with order_id_prefix"};
        }
        if (auto bad = attribute_.judge(out_.index.emplace())) return bad;
        if (!attribute_.is_range() && out_.sort == list_sort::created_at) return std::nullopt;
        if (!attribute_.is_range()) {
            return bad_parameter{"sort",
                                 "has to be created_at with an attribute that has a value",
                                 {"created_at", "-created_at"}};
        }
        if (!attribute_.sorts() && !sort_.empty()) {
            const std::string name = named_attribute();
            return bad_parameter{"sort", "a range is sorted by its attribute", {name, "-" + name}};
        }
        if (!attribute_.sorts()) out_.descending = false;
        out_.sort = list_sort::index;
        return std::nullopt;
    }

    std::string named_attribute() const {
        return std::string(attribute_filter::prefix) + attribute_.name();
    }

    static std::string read_time(std::string_view value, std::optional<timestamp>& to) {
        auto time = parse_timestamp(value);
        if (!time) return "has to be an RFC 3339 date-time";
        to = *time;
        return {};
    }
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
    std::string read_id(std::string_view value) {
        if (!v1::order_id::parse(value)) return "is no order id";
        out_.order_id = value;
        return {};
    }
    std::string read_sort(std::string_view value) {
        sort_ = value;
        if (value == by_change) return {};
        const bool descending = value.starts_with('-');
        if (value.substr(descending ? 1 : 0).starts_with(attribute_filter::prefix)) {
            out_.descending = descending;
            return attribute_.sort_by(value.substr(descending ? 1 : 0), allowed);
        }
        const auto* found = std::find_if(sorts.begin(), sorts.end(), [&](const named_sort& it) {
            return it.name == value.substr(descending ? 1 : 0);
        });
        if (found == sorts.end()) {
            allowed = list_sorts(of_.model);
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

    const list_resource& of_;
    list_query& out_;
    attribute_filter attribute_;
    std::string sort_;  // as given
    std::array<bool, rows_size> seen_{};
};

const reader_of_parameters::row reader_of_parameters::rows[rows_size] = {
    {"order_id", &reader_of_parameters::read_id},
    {"created_from", &reader_of_parameters::read_from},
    {"created_until", &reader_of_parameters::read_until},
    {"updated_from", &reader_of_parameters::read_updated},
    {"order_id_prefix", &reader_of_parameters::read_prefix},
    {"sort", &reader_of_parameters::read_sort},
    {"limit", &reader_of_parameters::read_limit},
    {"total", &reader_of_parameters::read_total},
    {"cursor", &reader_of_parameters::read_nothing},
};

// A list of a tenant's orders by creation, for which nothing better is there.
bool is_by_tenant(const order_model& model, const list_query& it) {
    return model.rules().tenants && it.scope.tenant && !it.scope.user && !it.index &&
           it.sort == list_sort::created_at && it.id_prefix.empty() && !it.updated_from &&
           !it.order_id;
}

bool read_cursor_into(std::string_view cursor, list_query& to) {
    if (to.updated_from) {
        to.after_change = read_change_cursor(to, cursor);
        return to.after_change.has_value();
    }
    to.after = read_cursor(to, cursor);
    return to.after.has_value();
}

}  // namespace

bool list_query::has_status(order_status it) const noexcept {
    return statuses.empty() || std::find(statuses.begin(), statuses.end(), it) != statuses.end();
}

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
    out.index = index;
    return out;
}

changed_params list_query::changes() const {
    changed_params out;
    out.since = updated_from.value();
    out.after = after_change;
    out.filter = params();
    return out;
}

std::vector<std::string> list_parameters(const list_resource& of) {
    std::vector<std::string> out = scope_parameters(of.model);
    if (!of.status) out.emplace_back("status");
    for (const auto& it : reader_of_parameters::rows) out.emplace_back(it.name);
    return out;
}

std::vector<std::string> attribute_parameters(const order_model& model) {
    std::vector<std::string> out;
    for (const attribute_rule* const it : model.attributes()) {
        if (!it->indexed) continue;
        for (const char* behind : {"", ".from", ".to"}) {
            out.push_back(std::string(attribute_filter::prefix) + it->name + behind);
        }
    }
    return out;
}

std::vector<std::string> list_sorts(const order_model& model) {
    std::vector<std::string> out;
    const auto add = [&](const std::string& name) {
        out.push_back(name);
        out.push_back("-" + name);
    };
    for (const named_sort& it : sorts) add(std::string(it.name));
    out.emplace_back(by_change);
    for (const attribute_rule* const it : model.attributes()) {
        if (it->indexed) add(std::string(attribute_filter::prefix) + it->name);
    }
    return out;
}

std::optional<bad_parameter> parse_list_query(const std::vector<query_parameter>& parameters,
                                              const list_resource& of, const caller& by,
                                              list_query& out) {
    reader_of_parameters reading(of, out);
    const std::string* cursor = nullptr;
    for (const query_parameter& it : parameters) {
        if (std::string wrong = reading.read(it); !wrong.empty()) {
            return bad_parameter{it.name, std::move(wrong), std::move(reading.allowed)};
        }
        if (it.name == "cursor") cursor = &it.value;
    }
    if (of.status) out.statuses.assign(1, *of.status);
    normalize(out.statuses);
    if (auto bad = reading.judge()) return bad;
    if (!narrow(by, out.scope)) return bad_parameter{"user_id", std::string(not_the_callers), {}};
    if (by.bound()) out.seal = of.seal;
    if (is_by_tenant(of.model, out)) out.index = order_model::of_tenant(*out.scope.tenant);
    if (cursor && !read_cursor_into(*cursor, out)) {
        return bad_parameter{"cursor", "is not one of this list's", {}};
    }
    return std::nullopt;
}

}  // namespace orderproc::server
