#include "core/flat_json.hpp"

#include <orderproc/worker_record.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// The names of a record's members, for reading and writing alike.
template <class Member>
void each_count(worker_record& of, const Member& member) {
    member("process", of.process);
    member("in_work", of.in_work);
    member("capacity", of.capacity);
    member("claimed", of.claimed);
    member("advanced", of.advanced);
    member("retried", of.retried);
    member("failed", of.failed);
    member("lease_lost", of.lease_lost);
}

constexpr std::chrono::minutes rate_after{1};
constexpr std::size_t workers_of_a_page = 1000;
constexpr timestamp end_of_time{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}};

std::optional<worker_record> read_worker(const record& from) {
    const auto told = detail::flat_reader::parse(from.value);
    if (!told) return std::nullopt;
    worker_record out;
    out.name = from.key;
    out.host = told->text("host");
    out.program = told->text("program");
    const auto started = told->time("started_at");
    const auto heard = told->time("heard_at");
    if (!started || !heard) return std::nullopt;
    out.started_at = *started;
    out.heard_at = *heard;
    for (const std::string& it : told->texts("stages")) {
        if (const auto stage = order_status::parse(it)) out.stages.push_back(*stage);
    }
    out.draining = told->number("draining") != 0;
    each_count(out, [&](const char* name, std::uint64_t& to) { to = told->number(name); });
    if (out.heard_at - out.started_at >= rate_after) {
        out.advanced_last_minute = told->number("advanced_last_minute");
    }
    return out;
}

// Records that are due after that, up to the other, which is included.
result<std::vector<worker_record>> list_due_workers(repository_reader& from,
                                                    std::optional<timestamp> after, timestamp until,
                                                    std::size_t most) {
    std::vector<worker_record> out;
    list_due_records_params what{worker_collection, until, {}, workers_of_a_page};
    timestamp due{};
    std::string key;
    if (after) what.after = {*after + std::chrono::milliseconds(1), {}};
    while (out.size() < most) {
        what.limit = std::min(workers_of_a_page, most - out.size());
        auto page = from.list_due_records(what);
        if (!page) return std::move(page).error();
        for (const record& it : page->records) {
            if (auto one = read_worker(it)) out.push_back(std::move(*one));
        }
        if (!page->more || page->records.empty()) break;
        due = page->records.back().due_at.value_or(until);
        key = page->records.back().key;
        what.after = {due, key};
    }
    return out;
}

}  // namespace

std::string_view name_of(worker_state value) noexcept {
    switch (value) {
        case worker_state::working:
            return "working";
        case worker_state::draining:
            return "draining";
        case worker_state::silent:
            return "silent";
        case worker_state::gone:
            break;
    }
    return "gone";
}

worker_state state_of(const worker_record& it, timestamp now) noexcept {
    const auto unheard = now - it.heard_at;
    if (unheard >= worker_record::gone_after) return worker_state::gone;
    if (unheard >= worker_record::silent_after) return worker_state::silent;
    if (unheard <= -worker_record::silent_after) return worker_state::silent;
    return it.draining ? worker_state::draining : worker_state::working;
}

change_record to_record(const worker_record& it, std::uint64_t version) {
    detail::flat_writer to;
    to.text("host", it.host);
    to.text("program", it.program);
    to.time("started_at", it.started_at);
    to.time("heard_at", it.heard_at);
    std::vector<std::string> stages;
    for (const order_status& one : it.stages) stages.emplace_back(one.view());
    to.texts("stages", stages);
    to.number("draining", it.draining ? 1 : 0);
    worker_record counts = it;
    each_count(counts, [&](const char* name, std::uint64_t& value) { to.number(name, value); });
    to.number("advanced_last_minute", it.advanced_last_minute.value_or(0));
    change_record out;
    out.action = version == 0 ? record_action::create : record_action::replace;
    out.collection = worker_collection;
    out.key = it.name;
    out.version = version;
    out.value = std::move(to).finish();
    out.due_at = it.heard_at + worker_record::gone_after;
    return out;
}

result<worker_page> list_workers(repository_reader& from, std::string_view after,
                                 std::size_t limit) {
    auto page = from.list_records({worker_collection, {}, after, limit});
    if (!page) return std::move(page).error();
    worker_page out;
    for (const record& it : page->records) {
        if (auto one = read_worker(it)) out.workers.push_back(std::move(*one));
    }
    if (page->more && !page->records.empty()) out.next = page->records.back().key;
    return out;
}

result<std::vector<worker_record>> list_present_workers(repository_reader& from, timestamp now,
                                                        std::size_t most) {
    return list_due_workers(from, now, end_of_time, most);
}

result<std::vector<worker_record>> list_gone_workers(repository_reader& from, timestamp now,
                                                     std::size_t most) {
    return list_due_workers(from, {}, now, most);
}

result<std::optional<worker_record>> find_worker(repository_reader& from, std::string_view name) {
    auto found = from.find_record({worker_collection, name});
    if (!found) return std::move(found).error();
    return *found ? read_worker(**found) : std::optional<worker_record>();
}

result<std::vector<change_record>> forget_workers(repository_reader& from, timestamp now,
                                                  std::size_t most) {
    auto page = from.list_due_records({worker_collection, now - worker_record::kept_for, {}, most});
    if (!page) return std::move(page).error();
    std::vector<change_record> out;
    for (const record& it : page->records) {
        out.push_back(removal_of(worker_collection, it.key, it.version));
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
