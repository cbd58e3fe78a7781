#include <orderproc/status_machine.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// A small letter, and then small letters, digits and those of others.
bool valid_word(std::string_view name, std::string_view others) {
    if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
    return std::all_of(name.begin(), name.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
    });
}

std::string bad_event() {
    std::string out = "an event is [a-z][a-z0-9_]{0,31} and not";
    for (const std::string_view it : engine_events) {
        const bool first = it == engine_events.front();
        const bool last = it == engine_events.back();
        out.append(first ? " \"" : last ? " or \"" : ", \"").append(it).append("\"");
    }
    return out;
}

std::string text(order_status status) {
    return std::string(status.view());
}

failure bad_row(const transition_rule& row, std::string_view why) {
    std::string out = text(row.from);
    out.append(" –").append(row.event).append("→ ").append(row.to.view());
    return {errc::invalid_argument, out.append(": ").append(why)};
}

failure bad_stage(const work_stage& stage, std::string_view why) {
    return {errc::invalid_argument, ("stage " + text(stage.active) + ": ").append(why)};
}

bool has(std::span<const order_status> all, order_status one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

std::string_view scope_of(const transition_rule& row) {
    if (!row.open_to_clients || !row.scope.empty()) return row.scope;
    return default_event_scope;
}

// What a stage brings with it.
std::array<transition_rule, 4> rules_of(const work_stage& stage) {
    return {{{stage.waiting, stage.start, stage.active},
             {stage.active, stage.release, stage.waiting},
             {stage.active, stage.fail, stage.failed},
             {stage.waiting, stage.fail, stage.failed}}};
}

// Words of Mermaid's own, in whatever case, which cannot name a state.
bool is_keyword(std::string_view name) {
    constexpr std::array<std::string_view, 9> words{"STATE", "NOTE",  "CLASS", "CLASSDEF", "STYLE",
                                                    "SCALE", "CLICK", "HREF",  "DEFAULT"};
    return std::find(words.begin(), words.end(), name) != words.end();
}

std::string node(order_status status) {
    return (is_keyword(status.view()) ? "status_" : "") + text(status);
}

}  // namespace

// Lives at one address however its owner moves, and so do the names in the deque.
struct status_machine::impl {
    std::deque<std::string> names;
    std::vector<order_status> statuses;
    std::vector<transition> transitions;
    std::vector<work_stage> stages;

    void add(order_status status) {
        if (!has(statuses, status)) statuses.push_back(status);
    }
    const transition* find(std::string_view event) const {
        for (const transition& it : transitions) {
            if (it.event == event) return &it;
        }
        return nullptr;
    }
    bool touches(order_status status) const {
        return std::any_of(stages.begin(), stages.end(), [&](const work_stage& it) {
            return it.waiting == status || it.active == status;
        });
    }
    bool has_way_out(order_status status) const {
        return std::any_of(transitions.begin(), transitions.end(),
                           [&](const transition& it) { return has(it.from, status); });
    }
    // The first event out of the status that clients may not raise; else empty.
    std::string_view closed_way_out(order_status status) const {
        for (const transition& it : transitions) {
            if (!it.open_to_clients && has(it.from, status)) return it.event;
        }
        return {};
    }

    result<void> add(const transition_rule& row);
    result<void> add(const work_stage& stage);
    result<void> check(const work_stage& stage) const;
    result<void> check_apart(const work_stage& stage) const;
    result<void> check_reachable() const;
};

result<void> status_machine::impl::add(const transition_rule& row) {
    if (row.from == order_status{}) return bad_row(row, "it has no status to start from");
    if (row.to == order_status{}) return bad_row(row, "it has no status to lead to");
    if (!valid_word(row.event, "_") || is_engine_event(row.event)) return bad_row(row, bad_event());
    if (!row.scope.empty() && !row.open_to_clients) {
        return bad_row(row, "only an event that is open to clients has a scope");
    }
    if (!row.scope.empty() && !valid_word(row.scope, "_:.-")) {
        return bad_row(row, "a scope is [a-z][a-z0-9_:.-]{0,31}");
    }
    const std::string_view scope = scope_of(row);
    add(row.from);
    add(row.to);
    const auto known = std::find_if(transitions.begin(), transitions.end(),
                                    [&](const transition& it) { return it.event == row.event; });
    if (known == transitions.end()) {
        const std::string& name = names.emplace_back(row.event);
        const std::string& held = names.emplace_back(scope);
        transitions.push_back({name, row.to, {row.from}, row.open_to_clients, held});
        return {};
    }
    if (known->to != row.to) {
        return bad_row(row, "elsewhere the event leads to " + text(known->to));
    }
    if (known->open_to_clients != row.open_to_clients) {
        return bad_row(row, known->open_to_clients ? "elsewhere the event is open to clients"
                                                   : "elsewhere the event is closed to clients");
    }
    if (known->scope != scope) {
        return bad_row(row, "elsewhere the event has the scope " + std::string(known->scope));
    }
    if (!has(known->from, row.from)) known->from.push_back(row.from);
    return {};
}

// What claims go by must name one stage: its statuses, its start and its release.
result<void> status_machine::impl::check_apart(const work_stage& stage) const {
    if (stage.waiting == stage.active) {
        return bad_stage(stage, "an order cannot wait in the status in which it is worked on");
    }
    for (const work_stage& other : stages) {
        std::string shared;
        for (const order_status mine : {stage.waiting, stage.active}) {
            if (mine == other.waiting || mine == other.active) shared = text(mine);
        }
        if (stage.start == other.start) shared = stage.start;
        if (stage.release == other.release) shared = stage.release;
        if (shared.empty()) continue;
        return bad_stage(stage, shared + " belongs to stage " + text(other.active));
    }
    return {};
}

result<void> status_machine::impl::add(const work_stage& stage) {
    for (const transition_rule& row : rules_of(stage)) {
        if (auto ok = add(row); !ok) return ok;
    }
    stages.push_back({stage.waiting, find(stage.start)->event, stage.active,
                      find(stage.release)->event, find(stage.fail)->event, stage.failed});
    return {};
}

result<void> status_machine::impl::check(const work_stage& stage) const {
    if (stage.active == statuses.front()) {
        return bad_stage(stage, "no order is created in the midst of work");
    }
    bool way_out = false;
    for (const transition& it : transitions) {
        const bool starts = it.event == stage.start;
        for (const order_status from : it.from) {
            const transition_rule row{from, it.event, it.to};
            if (it.to == stage.active && !starts) {
                return bad_row(row, "work begins by the event " + std::string(stage.start));
            }
            if (starts && from != stage.waiting) {
                return bad_row(row, "only claims raise it, and in " + text(stage.waiting));
            }
        }
        const bool back = it.event == stage.release || it.event == stage.fail;
        way_out = way_out || (!back && has(it.from, stage.active));
    }
    if (!way_out) return bad_stage(stage, "work in it can only be released or fail");
    // A claim that fails an order settles it, and queues it nowhere.
    if (touches(stage.failed)) {
        return bad_stage(stage, "it fails to " + text(stage.failed) + ", where work goes on");
    }
    if (const auto event = closed_way_out(stage.failed); !event.empty()) {
        return bad_row({stage.failed, event, find(event)->to},
                       "what failed stays so until a client moves it");
    }
    return {};
}

result<void> status_machine::impl::check_reachable() const {
    std::vector<order_status> reached{statuses.front()};
    for (std::size_t i = 0; i < reached.size(); ++i) {
        for (const transition& it : transitions) {
            if (has(it.from, reached[i]) && !has(reached, it.to)) {
                reached.push_back(it.to);
            }
        }
    }
    for (const transition& it : transitions) {
        for (const order_status from : it.from) {
            if (has(reached, from)) continue;
            return bad_row({from, it.event, it.to}, "nothing leads to " + text(from));
        }
    }
    return {};
}

result<status_machine> status_machine::build(order_status initial,
                                             std::span<const transition_rule> rules,
                                             std::span<const work_stage> stages) {
    if (initial == order_status{}) return failure{errc::invalid_argument, "no initial status"};
    auto table = std::make_unique<impl>();
    table->add(initial);
    for (const transition_rule& row : rules) {
        if (auto ok = table->add(row); !ok) return std::move(ok).error();
    }
    for (const work_stage& stage : stages) {
        if (auto ok = table->check_apart(stage); !ok) return std::move(ok).error();
        if (auto ok = table->add(stage); !ok) return std::move(ok).error();
    }
    for (const work_stage& stage : table->stages) {
        if (auto ok = table->check(stage); !ok) return std::move(ok).error();
    }
    if (auto ok = table->check_reachable(); !ok) return std::move(ok).error();
    return status_machine(std::move(table));
}

const status_machine& status_machine::standard() {
    static const status_machine instance = [] {
        constexpr std::array<transition_rule, 3> rules{
            {{"PROCESSING", "complete", "COMPLETED"},
             {"PENDING", "cancel", "CANCELLED", true},
             {"FAILED", "retry", "PENDING", true, "operate"}}};
        constexpr std::array<work_stage, 1> stages{
            {{"PENDING", "start", "PROCESSING", "release", "fail", "FAILED"}}};
        return build("PENDING", rules, stages).value();
    }();
    return instance;
}

status_machine::status_machine(std::unique_ptr<const impl> table) noexcept
    : impl_(std::move(table)) {}
status_machine::status_machine(status_machine&&) noexcept = default;
status_machine& status_machine::operator=(status_machine&&) noexcept = default;
status_machine::~status_machine() = default;

order_status status_machine::initial() const noexcept {
    return impl_->statuses.front();
}

std::span<const order_status> status_machine::statuses() const noexcept {
    return impl_->statuses;
}

std::span<const transition> status_machine::transitions() const noexcept {
    return impl_->transitions;
}

std::span<const work_stage> status_machine::stages() const noexcept {
    return impl_->stages;
}

bool status_machine::contains(order_status status) const noexcept {
    return has(impl_->statuses, status);
}

bool status_machine::is_final(order_status status) const noexcept {
    return contains(status) && !impl_->has_way_out(status);
}

bool status_machine::is_settled(order_status status) const noexcept {
    return contains(status) && !impl_->touches(status) && impl_->closed_way_out(status).empty();
}

const work_stage* status_machine::stage_waiting_in(order_status status) const noexcept {
    for (const work_stage& it : impl_->stages) {
        if (it.waiting == status) return &it;
    }
    return nullptr;
}

const work_stage* status_machine::stage_active_in(order_status status) const noexcept {
    for (const work_stage& it : impl_->stages) {
        if (it.active == status) return &it;
    }
    return nullptr;
}

std::vector<std::string_view> status_machine::ways_out(const work_stage& of) const {
    std::vector<std::string_view> out;
    for (const transition& it : impl_->transitions) {
        const bool back = it.event == of.release || it.event == of.fail;
        if (!back && has(it.from, of.active)) out.push_back(it.event);
    }
    return out;
}

std::string_view status_machine::default_way_out(const work_stage& of) const {
    const auto all = ways_out(of);
    const auto complete = std::find(all.begin(), all.end(), "complete");
    if (complete != all.end()) return *complete;
    return all.size() == 1 ? all.front() : std::string_view();
}

const transition* status_machine::find(std::string_view event) const noexcept {
    return impl_->find(event);
}

std::vector<std::string_view> status_machine::allowed(order_status from) const {
    std::vector<std::string_view> out;
    for (const transition& it : impl_->transitions) {
        if (has(it.from, from)) out.push_back(it.event);
    }
    return out;
}

std::string status_machine::to_mermaid() const {
    std::string out = "stateDiagram-v2\n    %% (client): clients may raise the event\n";
    const auto line = [&out](std::string_view from, std::string_view to, std::string_view label) {
        out.append("    ").append(from).append(" --> ").append(to).append(label).append("\n");
    };
    for (const order_status status : statuses()) {
        if (is_keyword(status.view())) {
            out.append("    ").append(node(status)).append(" : ").append(status.view());
            out.append("\n");
        }
    }
    line("[*]", node(initial()), "");
    for (const order_status from : statuses()) {
        for (const transition& it : transitions()) {
            if (!has(it.from, from)) continue;
            std::string label = " : " + std::string(it.event);
            if (it.open_to_clients) label.append(" (client)");
            line(node(from), node(it.to), label);
        }
        if (is_final(from)) line(node(from), "[*]", "");
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
