#include "cli/stored_model.hpp"

#include "auth/scope.hpp"
#include "cli/record_write.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <span>
#include <utility>

namespace orderproc::server {

namespace {

bool has_records(const storage& orders) {
    return orders.info().capabilities.has(capability::records);
}

shop_model standard_model() {
    return shop_model_of("{}").value();
}

result<shop_model> model_of(const record& from) {
    auto read = shop_model_of(from.value);
    if (!read) {
        return failure{errc::corrupt,
                       "the stored model cannot be read by this version: " + read.error().detail};
    }
    read->version = from.version;
    return read;
}

// Whether there never was an order.
result<bool> is_unused(storage& orders) {
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    const auto counted = (*reader)->count();
    if (!counted) return counted.error();
    return counted->created == 0;
}

failure contradiction(const std::string& what) {
    return {errc::invalid_argument,
            "--model: the storage has another model: " + what +
                ". `orderproc migrate --model` changes it where that is possible; without --model "
                "the stored one is used"};
}

std::string additions(const order_model& was, const order_model& is) {
    std::string out;
    for (const attribute_rule& it : is.rules().attributes) {
        const attribute_rule* const had = was.find(it.name);
        if (had && had->indexed == it.indexed) continue;
        if (!out.empty()) out += "; ";
        out += it.name + (had ? " is indexed" : " is new");
    }
    return out;
}

// Who may raise an event is no matter of the orders that are there.
std::string changed_scopes(const status_machine& was, const status_machine& is) {
    std::string out;
    for (const transition& it : is.transitions()) {
        const transition* const had = was.find(it.event);
        if (!had || had->scope == it.scope) continue;
        if (!out.empty()) out += "; ";
        out.append(it.event).append(" needs the scope ").append(it.scope);
    }
    return out;
}

// The library does not know which scopes there are.
result<void> check_scopes(const status_machine& machine) {
    for (const transition& it : machine.transitions()) {
        if (!it.open_to_clients) continue;
        const auto found = auth::find_scope(it.scope);
        if (found && auth::scopes_of_events.has(*found)) continue;
        return failure{errc::invalid_argument, "#/statuses: " + std::string(it.event) +
                                                   ": its scope must be one of " +
                                                   auth::to_string(auth::scopes_of_events, ", ") +
                                                   ", not \"" + std::string(it.scope) + "\""};
    }
    return {};
}

}  // namespace

result<shop_model> shop_model_of(std::string_view text) {
    parsed_model read = parse_model(text);
    if (!read.ok()) return failure{errc::invalid_argument, describe_errors(read)};
    if (auto ok = check_scopes(*read.statuses); !ok) return std::move(ok).error();
    return shop_model{std::move(*read.orders), std::move(*read.statuses)};
}

result<std::string> read_model_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string out(model_text_size_max + 1, '\0');
    file.read(out.data(), static_cast<std::streamsize>(out.size()));
    if (file.bad() || (!file && file.gcount() == 0)) {
        return failure{errc::invalid_argument, path + " cannot be read, or is empty"};
    }
    out.resize(static_cast<std::size_t>(file.gcount()));
    return out;
}

void model_settings::add_to(CLI::App& command, const std::string& help) {
    add_setting(command, "model", file, help);
}

result<std::optional<shop_model>> model_settings::read() const {
    result<std::optional<shop_model>> out;
    if (file.empty()) return out;
    const auto text = read_model_text(file);
    if (!text) return failure{errc::invalid_argument, "--model: " + text.error().detail};
    auto model = shop_model_of(*text);
    if (!model) {
        return failure{errc::invalid_argument, "--model: " + file + ":\n" + model.error().detail};
    }
    *out = std::move(*model);
    return out;
}

result<shop_model> load_model(storage& orders) {
    if (!has_records(orders)) return standard_model();
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    const auto found = (*reader)->find_record({model_collection, model_key});
    if (!found) return found.error();
    if (!*found) return standard_model();
    return model_of(**found);
}

result<shop_model> open_model(storage& orders, std::optional<shop_model> wanted) {
    auto stored = load_model(orders);
    if (!stored || !wanted) return stored;
    std::string differs = difference(*stored, *wanted);
    if (stored->version == 0 && !differs.empty()) {
        auto can = require(orders.info(), {capability::records}, "--model");
        if (can && wanted->orders.has_indexes()) {
            can = require(orders.info(), {capability::indexes}, "a model with indexes");
        }
        if (!can) return std::move(can).error();
        const auto unused = is_unused(orders);
        if (!unused) return unused.error();
        if (!*unused)
            return contradiction("the standard one, under which it has orders: " + differs);
        const change_record create{record_action::create, std::string(model_collection),
                                   std::string(model_key), 0,
                                   to_json(wanted->orders, wanted->statuses)};
        if (auto ok = write_records(orders, {&create, 1}, {}); !ok) {
            if (ok.error().code != errc::already_exists) return std::move(ok).error();
        }
        // Another process may have been quicker, with another model.
        stored = load_model(orders);
        if (!stored) return stored;
        differs = difference(*stored, *wanted);
    }
    if (!differs.empty()) return contradiction(differs);
    return stored;
}

std::string difference(const shop_model& was, const shop_model& is) {
    std::string out;
    const auto add = [&out](const std::string& text) {
        if (text.empty()) return;
        out += (out.empty() ? "" : "; ") + text;
    };
    if (const auto ok = check_successor(was.statuses, is.statuses); !ok) {
        add(ok.error().detail);
    } else {
        add(changed_scopes(was.statuses, is.statuses));
    }
    if (const auto ok = check_successor(was.orders, is.orders); !ok) {
        add(ok.error().detail);
    } else {
        add(additions(was.orders, is.orders));
    }
    return out;
}

std::optional<record_guard> guard_of(const shop_model& model) noexcept {
    if (model.version == 0) return std::nullopt;
    return record_guard{model_collection, model_key, model.version};
}

std::optional<model_record> record_of(const shop_model& model) {
    if (model.version == 0) return std::nullopt;
    model_record out;
    out.collection = model_collection;
    out.key = model_key;
    out.version = model.version;
    out.read = [&statuses = model.statuses](std::string_view text) -> result<order_model> {
        auto read = shop_model_of(text);
        if (!read) return std::move(read).error();
        if (auto ok = check_successor(statuses, read->statuses); !ok) return std::move(ok).error();
        return std::move(read->orders);
    };
    return out;
}

}  // namespace orderproc::server
