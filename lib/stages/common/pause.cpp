#include "core/flat_json.hpp"
#include "core/text.hpp"

#include <orderproc/pause.hpp>

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// The key of the pause of all work. No status is called so, and it sorts before all of them.
constexpr std::string_view key_of_all = "*";
// More stages than a machine has.
constexpr std::size_t pauses_max = 1000;

std::string key_of_pause(const std::optional<order_status>& stage) {
    return std::string(stage ? stage->view() : key_of_all);
}

std::string value_of_pause(const work_pause& it) {
    detail::flat_writer out;
    out.time("since", it.since);
    out.text("by", it.by);
    out.text("reason", it.reason);
    return std::move(out).finish();
}

std::optional<work_pause> read_pause(const record& from) {
    work_pause out;
    if (from.key != key_of_all) {
        const auto stage = order_status::parse(from.key);
        if (!stage) return std::nullopt;
        out.stage = *stage;
    }
    if (const auto told = detail::flat_reader::parse(from.value)) {
        out.since = told->time("since").value_or(timestamp());
        out.by = told->text("by");
        out.reason = told->text("reason");
    }
    return out;
}

result<record_page> read_pauses(repository_reader& from) {
    return from.list_records({pause_collection, {}, {}, pauses_max});
}

result<void> expect_stage(const std::optional<order_status>& stage, const status_machine& machine) {
    if (!stage || machine.stage_active_in(*stage)) return {};
    std::string known;
    for (const work_stage& it : machine.stages()) {
        known.append(known.empty() ? "" : ", ").append(it.active.view());
    }
    return failure{errc::invalid_argument, "there is no stage " + std::string(stage->view()) +
                                               "; there are: " + (known.empty() ? "none" : known)};
}

result<void> expect_line(std::string_view name, std::string_view text, std::size_t most) {
    if (text.size() <= most && detail::is_text(text, detail::text_kind::one_line)) return {};
    return failure{errc::invalid_argument, std::string(name) + ": at most " + std::to_string(most) +
                                               " bytes of UTF-8 without control characters"};
}

}  // namespace

result<std::vector<work_pause>> list_pauses(repository_reader& from) {
    const auto page = read_pauses(from);
    if (!page) return page.error();
    std::vector<work_pause> out;
    for (const record& it : page->records) {
        if (auto one = read_pause(it)) out.push_back(std::move(*one));
    }
    return out;
}

bool is_paused(std::span<const work_pause> pauses, const work_stage& stage) noexcept {
    return std::any_of(pauses.begin(), pauses.end(), [&](const work_pause& it) {
        return !it.stage || *it.stage == stage.active;
    });
}

result<std::vector<change_record>> pause_work(repository_reader& from, const work_pause& what,
                                              const status_machine& machine) {
    auto ok = expect_stage(what.stage, machine);
    if (ok) ok = expect_line("by", what.by, work_pause::by_size_max);
    if (ok) ok = expect_line("reason", what.reason, work_pause::reason_size_max);
    if (!ok) return std::move(ok).error();
    const std::string key = key_of_pause(what.stage);
    const auto there = from.find_record({pause_collection, key});
    if (!there) return there.error();
    if (*there) return std::vector<change_record>();
    change_record made;
    made.collection = pause_collection;
    made.key = key;
    made.value = value_of_pause(what);
    return std::vector<change_record>{std::move(made)};
}

result<std::vector<change_record>> resume_work(repository_reader& from,
                                               std::optional<order_status> stage,
                                               const status_machine& machine) {
    if (auto ok = expect_stage(stage, machine); !ok) return std::move(ok).error();
    const auto page = read_pauses(from);
    if (!page) return page.error();
    std::vector<change_record> out;
    for (const record& it : page->records) {
        if (stage && it.key == key_of_all) {
            return failure{errc::transition_rejected,
                           "all work is paused: resume all of it, or pause single stages"};
        }
        if (stage && it.key != stage->view()) continue;
        out.push_back(removal_of(pause_collection, it.key, it.version));
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
