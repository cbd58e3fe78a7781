#include "cli/stage_processor.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

using texts = std::vector<std::string_view>;

failure invalid(std::string detail) {
    return {errc::invalid_argument, std::move(detail)};
}

std::string list_of(const texts& all) {
    std::string out;
    for (const std::string_view it : all) out.append(out.empty() ? "" : ", ").append(it);
    return out;
}

texts names_of_stages(const status_machine& machine) {
    texts out;
    for (const work_stage& it : machine.stages()) out.push_back(it.active.view());
    return out;
}

result<std::string> event_of(const work_stage& stage, std::string_view wanted,
                             const status_machine& machine) {
    const texts all = machine.ways_out(stage);
    const std::string name(stage.active.view());
    if (wanted.empty()) wanted = machine.default_way_out(stage);
    if (wanted.empty()) {
        return invalid("name the event that the processor of " + name + " raises, as in " + name +
                       ":" + std::string(all.front()) + "=…; it has " + list_of(all));
    }
    if (std::find(all.begin(), all.end(), wanted) == all.end()) {
        return invalid("\"" + std::string(wanted) + "\" does not end the work of " + name +
                       ", which " + list_of(all) + " can");
    }
    return std::string(wanted);
}

// What stands before a processor's text: "PACKING" or "PACKING:pack"; empty: nothing does. Names
// of processors begin with a small letter.
std::string_view prefix_of(std::string_view text) {
    const std::size_t end = text.find('=');
    if (end == text.npos || text[0] < 'A' || text[0] > 'Z') return {};
    return text.substr(0, end);
}

result<stage_processor> read(std::string_view text, const status_machine& machine) {
    const auto stages = machine.stages();
    const std::string_view prefix = prefix_of(text);
    const std::string_view name = prefix.substr(0, prefix.find(':'));
    const work_stage* stage = nullptr;
    if (prefix.empty()) {
        if (stages.size() > 1) {
            return invalid("name the stage, as in " + std::string(stages.front().active.view()) +
                           "=" + std::string(text) + "; the model has " +
                           list_of(names_of_stages(machine)));
        }
        stage = &stages.front();
    } else {
        const auto status = order_status::parse(name);
        stage = status ? machine.stage_active_in(*status) : nullptr;
        text.remove_prefix(prefix.size() + 1);
    }
    if (!stage) {
        return invalid("no stage \"" + std::string(name) + "\"; the model has " +
                       list_of(names_of_stages(machine)));
    }
    const std::string_view wanted =
        name.size() == prefix.size() ? std::string_view() : prefix.substr(name.size() + 1);
    auto event = event_of(*stage, wanted, machine);
    if (!event) return std::move(event).error();
    return stage_processor{stage->active, std::move(*event), std::string(text)};
}

}  // namespace

result<std::vector<stage_processor>> stage_processors(const std::vector<std::string>& values,
                                                      const status_machine& machine) {
    if (machine.stages().empty()) return invalid("the model has no stage to work on");
    result<std::vector<stage_processor>> out;
    for (const std::string& text : values) {
        auto one = read(text, machine);
        if (!one) return std::move(one).error();
        const bool twice = std::any_of(out->begin(), out->end(), [&](const stage_processor& it) {
            return it.stage == one->stage;
        });
        if (twice) {
            return invalid("stage " + std::string(one->stage.view()) + " has a processor already");
        }
        out->push_back(std::move(*one));
    }
    return out;
}

result<std::vector<stage_processor>> for_each_stage(const std::string& text,
                                                    const status_machine& machine) {
    result<std::vector<stage_processor>> out;
    for (const work_stage& it : machine.stages()) {
        auto event = event_of(it, {}, machine);
        if (!event) return std::move(event).error();
        out->push_back({it.active, std::move(*event), text});
    }
    return out;
}

}  // namespace orderproc::server
