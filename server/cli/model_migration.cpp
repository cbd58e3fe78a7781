#include "cli/model_migration.hpp"

#include "cli/record_write.hpp"

#include <orderproc/reader.hpp>
#include <orderproc/runtime.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// Is there as long as index entries are missing. Its value is the place of the last order that was
// refreshed: when it was created, a space, and its number; empty: none was.
constexpr std::string_view progress_key = "model_refresh";
// Orders in a transaction.
constexpr std::size_t refresh_batch = 256;

std::string text_of(const list_position& at) {
    return to_string(at.at) + " " + std::to_string(at.number);
}

std::optional<list_position> position_of(std::string_view text) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const auto at = parse_timestamp(text.substr(0, space));
    list_position out;
    const std::string_view number = text.substr(std::min(space + 1, text.size()));
    const auto read = std::from_chars(number.data(), number.data() + number.size(), out.number);
    if (!at || read.ec != std::errc()) return std::nullopt;
    out.at = *at;
    return out;
}

result<std::optional<record>> find_progress(storage& orders) {
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    return (*reader)->find_record({model_collection, progress_key});
}

// Whether an attribute has an index that orders which are there may be without.
bool adds_index(const order_model& was, const order_model& is) {
    const auto& rules = is.rules().attributes;
    return std::any_of(rules.begin(), rules.end(), [&](const attribute_rule& it) {
        const attribute_rule* const had = was.find(it.name);
        return it.indexed && had && !had->indexed;
    });
}

result<void> store(storage& orders, const shop_model& was, const shop_model& next) {
    const record_action action = was.version == 0 ? record_action::create : record_action::replace;
    std::vector<change_record> what{{action, std::string(model_collection), std::string(model_key),
                                     was.version, to_json(next.orders, next.statuses)}};
    if (adds_index(was.orders, next.orders)) {
        const auto found = find_progress(orders);
        if (!found) return found.error();
        // An earlier migration that was interrupted begins again: it had fewer indexes.
        change_record begin{record_action::create, std::string(model_collection),
                            std::string(progress_key)};
        if (*found) {
            begin.action = record_action::replace;
            begin.version = (*found)->version;
        }
        what.push_back(std::move(begin));
    }
    return write_records(orders, what, record_guard{model_collection, model_key, was.version});
}

// Asks for the index entries of one order after the other.
class refresh {
public:
    refresh(storage& orders, const shop_model& model, record progress)
        : reader_(orders, 1),
          engine_(orders, model.statuses, model.orders, system_runtime(), options(model)),
          progress_(std::move(progress)) {}

    result<std::uint64_t> run(const std::function<void(std::uint64_t)>& told) {
        std::optional<list_position> after = position_of(progress_.value);
        for (std::uint64_t done = 0;;) {
            auto page = next_page(after);
            if (!page) return std::move(page).error();
            if (auto ok = refresh_all(page->orders); !ok) return std::move(ok).error();
            done += page->orders.size();
            told(done);
            after = page->next;
            if (auto ok = note(after); !ok) return std::move(ok).error();
            if (!after) return done;
        }
    }

private:
    static engine_options options(const shop_model& model) {
        engine_options out;
        out.threads = 0;
        out.stored_model = record_of(model);
        return out;
    }

    result<order_page> next_page(const std::optional<list_position>& after) {
        list_params params;
        params.descending = false;
        params.after = after;
        params.limit = refresh_batch;
        return reader_.use([&](repository_reader& from) { return from.list(params); });
    }

    result<void> refresh_all(const std::vector<order>& all) {
        std::vector<command> what(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            what[i].what = refresh_index{std::string(all[i].id.view())};
        }
        for (const change_outcome& it : engine_.execute_all(std::move(what))) {
            const bool gone = it.ec == errc::not_found;  // deleted since the page was read
            if (it.ec && !gone) return failure{it.ec, it.detail};
        }
        return {};
    }

    // How far it is; nullopt: to the end.
    result<void> note(const std::optional<list_position>& at);

    reader reader_;
    engine engine_;
    record progress_;
};

// Of a change of a record that this thread waits for.
class noted final : public record_completion {
public:
    void complete(record_outcome& outcome) noexcept override { got = std::move(outcome); }
    std::optional<record_outcome> got;
};

result<void> refresh::note(const std::optional<list_position>& at) {
    change_record what{at ? record_action::replace : record_action::remove,
                       std::string(model_collection), progress_.key, progress_.version};
    if (at) what.value = text_of(*at);
    noted done;
    if (auto ok = engine_.submit(std::move(what), done); !ok) return ok;
    while (!done.got) (void)engine_.run_once();
    if (done.got->ec) return failure{done.got->ec, "another migration is under way"};
    if (done.got->present) progress_ = *done.got->present;
    return {};
}

result<model_migration> compare(const shop_model& was, const shop_model& next) {
    if (auto ok = check_successor(was.statuses, next.statuses); !ok) {
        return failure{errc::invalid_argument,
                       "--model: orders that are there have these statuses: " + ok.error().detail};
    }
    if (auto ok = check_successor(was.orders, next.orders); !ok) {
        return failure{
            errc::invalid_argument,
            "--model: orders that are there keep the rules that they have: " + ok.error().detail};
    }
    model_migration out;
    out.changes = difference(was, next);
    out.version = was.version;
    return out;
}

result<void> require_all(storage& orders, const order_model& model) {
    const storage_info info = orders.info();
    if (auto ok = require(info, {capability::records}, "--model"); !ok) return ok;
    if (!model.has_indexes()) return {};
    return require(info, {capability::indexes}, "a model with indexes");
}

}  // namespace

result<model_migration> check_model_migration(storage& orders, const shop_model& next) {
    if (auto ok = require_all(orders, next.orders); !ok) return std::move(ok).error();
    const auto was = load_model(orders);
    if (!was) return was.error();
    return compare(*was, next);
}

result<model_migration> migrate_model(storage& orders, shop_model next,
                                      const std::function<void(std::uint64_t)>& progress) {
    if (auto ok = require_all(orders, next.orders); !ok) return std::move(ok).error();
    const auto was = load_model(orders);
    if (!was) return was.error();
    auto out = compare(*was, next);
    if (!out) return out;
    const auto before = find_progress(orders);
    if (!before) return before.error();
    out->resumed = before->has_value();
    if (!out->changes.empty()) {
        if (auto ok = store(orders, *was, next); !ok) return std::move(ok).error();
    }
    const auto stored = load_model(orders);
    if (!stored) return stored.error();
    out->version = stored->version;
    auto left = find_progress(orders);
    if (!left) return std::move(left).error();
    if (!*left) return out;
    const auto refreshed = refresh(orders, *stored, std::move(**left)).run(progress);
    if (!refreshed) return refreshed.error();
    out->refreshed = *refreshed;
    return out;
}

result<bool> is_model_migration_unfinished(storage& orders) {
    if (!orders.info().capabilities.has(capability::records)) return false;
    const auto found = find_progress(orders);
    if (!found) return found.error();
    return found->has_value();
}

void print_unfinished_migration(storage& orders) {
    const auto unfinished = is_model_migration_unfinished(orders);
    if (!unfinished || !*unfinished) return;
    std::fputs(
        "orderproc: lists by an attribute that got an index do not show all orders yet: run "
        "`orderproc migrate --model` with the stored model to complete it\n",
        stderr);
}

}  // namespace orderproc::server
