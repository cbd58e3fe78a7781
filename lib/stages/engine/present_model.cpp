#include "stages/engine/present_model.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

failure cannot_load(const failure& why) {
    return {errc::unavailable, "the stored order model cannot be loaded: " + why.message()};
}

}  // namespace

present_model::present_model(const order_model& first, const storage& orders,
                             std::optional<model_record> stored)
    : stored_(std::move(stored)), storage_(orders) {
    generations_.push_back({&first, stored_ ? stored_->version : 0});
    present_ = &generations_.back();
}

std::optional<record_guard> present_model::guard_of(const model_generation& it) const noexcept {
    if (!stored_) return std::nullopt;
    return record_guard{stored_->collection, stored_->key, it.version};
}

void present_model::adapt(change& what, const model_generation& to) const {
    if (!what.model || what.model == to.model) return;
    {
        const std::lock_guard lock(mutex_);
        const bool ours =
            std::any_of(generations_.begin(), generations_.end(),
                        [&](const model_generation& it) { return it.model == what.model; });
        if (!ours) return;  // a host has given it a model of its own
    }
    // A successor refuses nothing that its predecessor has accepted, but it may have new defaults.
    if (auto* create = std::get_if<create_order>(&what.action)) to.model->complete(create->value);
    if (auto* edit = std::get_if<edit_order>(&what.action)) to.model->complete(edit->content);
    what.model = to.model;
}

result<void> present_model::reload(repository_reader& from) {
    const std::lock_guard lock(mutex_);
    auto found = from.find_record({stored_->collection, stored_->key});
    if (!found) return cannot_load(found.error());
    if (!*found) return cannot_load({errc::not_found, "there is no record of it any more"});
    if ((*found)->version == get().version) return {};  // another writer has loaded it
    return load(**found);
}

result<void> present_model::load(const record& from) {
    result<order_model> read = errc::invalid_argument;
    try {
        read = stored_->read(from.value);
    } catch (const std::exception& thrown) {
        read = failure{errc::invalid_argument, thrown.what()};
    }
    if (!read) return cannot_load(read.error());
    if (auto ok = check_successor(*get().model, *read); !ok) return cannot_load(ok.error());
    if (read->has_indexes()) {
        auto ok = require(storage_.info(), {capability::indexes}, "a model with indexes");
        if (!ok) return cannot_load(ok.error());
    }
    loaded_.push_back(std::move(*read));
    generations_.push_back({&loaded_.back(), from.version});
    present_.store(&generations_.back(), std::memory_order_release);
    return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
