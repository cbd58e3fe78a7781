// `orderproc keys …`: the API keys of a storage.

#include "auth/key_admin.hpp"
#include "cli/operator_name.hpp"
#include "cli/order_text.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/values.hpp"
#include "text/duration.hpp"
#include "text/terminal_text.hpp"

#include <orderproc/json_text.hpp>
#include <orderproc/runtime.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <utility>

namespace orderproc::server {

namespace {

constexpr auto keys_expires_max = std::chrono::hours(24 * 365 * 10);

struct keys_settings {
    storage_settings storage;
    std::string as;
    bool json = false;
    std::string name, id, user, tenant;
    std::vector<std::string> scopes, networks;
    std::string expires, overlap = "24h", environment = "live";
};

using admin_action = std::function<int(auth::key_admin&, const keys_settings&)>;

// The key alone on standard output, so that it can be piped; all else is for people.
int show_made(const result<auth::key_admin::made_key>& made) {
    if (!made) return fail(made.error());
    std::fprintf(stderr, "key %s of %s: it is shown this once\n", made->key.id.c_str(),
                 made->key.name.c_str());
    std::printf("%s\n", made->text.c_str());
    return 0;
}

int create_key(auth::key_admin& admin, const keys_settings& with) {
    auth::api_key wanted;
    wanted.name = with.name;
    auto scopes = of_option("--scope", auth::parse_scopes(with.scopes));
    if (!scopes) return fail(scopes.error());
    wanted.scopes = *scopes;
    if (!with.user.empty()) wanted.user = with.user;
    if (!with.tenant.empty()) wanted.tenant = with.tenant;
    wanted.networks = with.networks;
    if (!with.expires.empty()) {
        const auto life = of_option("--expires", parse_duration(with.expires));
        if (!life) return fail(life.error());
        if (*life > keys_expires_max) {
            return fail({errc::invalid_argument, "--expires: ten years at most"});
        }
        wanted.expires_at = system_runtime().time.now() + *life;
    }
    return show_made(admin.create(std::move(wanted), with.environment));
}

int rotate_key(auth::key_admin& admin, const keys_settings& with) {
    const auto overlap = duration_option("--overlap", with.overlap);
    if (!overlap) return fail(overlap.error());
    return show_made(admin.rotate(with.id, *overlap, with.environment));
}

int revoke_key(auth::key_admin& admin, const keys_settings& with) {
    const auto done = admin.revoke(with.id);
    if (!done) return fail(done.error());
    std::printf("key %s of %s is revoked; servers notice it within 2 s\n", done->id.c_str(),
                done->name.c_str());
    return 0;
}

int enable_key(auth::key_admin& admin, const keys_settings& with) {
    const auto done = admin.enable(with.id);
    if (!done) return fail(done.error());
    const bool expired = done->ended(system_runtime().time.now());
    std::printf("key %s of %s is enabled; %s\n", done->id.c_str(), done->name.c_str(),
                expired ? "but it has expired: rotate it" : "servers notice it within 2 s");
    return 0;
}

const char* state_of(const auth::api_key& it, timestamp now) {
    if (it.revoked_at) return "revoked";
    if (it.disabled_at) return "disabled";
    return it.ended(now) ? "expired" : "valid";
}

std::string bound_text(const auth::api_key& it) {
    if (it.user) return "user " + printable(*it.user);
    return it.tenant ? "tenant " + printable(*it.tenant) : "-";
}

std::string joined(const std::vector<std::string>& all) {
    std::string out;
    for (const std::string& it : all) out.append(out.empty() ? "" : " ").append(it);
    return out.empty() ? "-" : out;
}

using key_uses = std::map<std::string, timestamp>;

std::string used_text(const auth::api_key& it, const key_uses& uses) {
    const auto found = uses.find(it.id);
    return found == uses.end() ? std::string() : orderproc::to_string(found->second);
}

void print_key_json(const auth::api_key& it, const key_uses& uses, timestamp now) {
    std::string out = R"({"id":)";
    append_json_string(it.id, out);
    const auto put = [&](const char* name, std::string_view value) {
        out.append(",\"").append(name).append("\":");
        append_json_string(value, out);
    };
    put("name", it.name);
    put("scopes", to_string(it.scopes));
    if (it.user) put("user", *it.user);
    if (it.tenant) put("tenant", *it.tenant);
    if (!it.networks.empty()) put("networks", joined(it.networks));
    put("created_at", orderproc::to_string(it.created_at));
    put("created_by", it.created_by);
    if (it.expires_at) put("expires_at", orderproc::to_string(*it.expires_at));
    if (it.revoked_at) put("revoked_at", orderproc::to_string(*it.revoked_at));
    if (it.disabled_at) put("disabled_at", orderproc::to_string(*it.disabled_at));
    if (const auto used = used_text(it, uses); !used.empty()) put("last_used_at", used);
    if (!it.rotated_from.empty()) put("rotated_from", it.rotated_from);
    put("state", state_of(it, now));
    std::printf("%s}\n", printable_json(out).c_str());
}

int list_keys(auth::key_admin& admin, const keys_settings& with) {
    const auto all = admin.list();
    if (!all) return fail(all.error());
    const auto uses = admin.uses();
    if (!uses) return fail(uses.error());
    const timestamp now = system_runtime().time.now();
    std::vector<table_row> rows{{"ID", "NAME", "STATE", "SCOPES", "BOUND TO", "FROM", "CREATED",
                                 "BY", "EXPIRES", "LAST USED"}};
    for (const auth::api_key& it : *all) {
        if (with.json) {
            print_key_json(it, *uses, now);
            continue;
        }
        rows.push_back(
            {it.id, it.name, state_of(it, now), to_string(it.scopes), bound_text(it),
             joined(it.networks), orderproc::to_string(it.created_at), printable(it.created_by),
             it.expires_at ? orderproc::to_string(*it.expires_at) : "-", used_text(it, *uses)});
        if (rows.back().back().empty()) rows.back().back() = "-";
    }
    if (!with.json) std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

int with_admin(const keys_settings& with, const admin_action& what) {
    const auto actor = operator_name(with.as);
    if (!actor) return fail(actor.error());
    auto orders = with.storage.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    if (auto can = require((*orders)->info(), {capability::records}, "orderproc keys"); !can) {
        return fail(can.error());
    }
    int code = 1;
    {
        auto writer = (*orders)->connect_writer();
        if (!writer) return fail(writer.error());
        auth::key_admin admin(**writer, system_runtime(), {*actor});
        code = what(admin, with);
    }
    return close_storage(**orders, code);
}

class key_options {
public:
    explicit key_options(command_line to)
        : run_(to.run),
          keys_(*to.app.add_subcommand("keys", "Makes and ends the API keys of a storage")),
          with_(std::make_shared<keys_settings>()) {
        keys_.require_subcommand(1);
        keys_.fallthrough();
        with_->storage.add_to(keys_);
        add_setting(keys_, "as", with_->as,
                    "Who you are, if several people share the user that you are logged in as");
    }

    void add_create() {
        CLI::App& it = add("create", "Makes a key, and shows it once", create_key);
        it.add_option("--name", with_->name, "Whose key it is, such as web-shop")->required();
        it.add_option("--scope", with_->scopes, auth::names_of_scopes() + "; repeat it for more")
            ->delimiter(',')
            ->allow_extra_args(false)
            ->required();
        it.add_option("--user", with_->user, "Sees and changes this user's orders alone");
        it.add_option("--tenant", with_->tenant, "Sees and changes this tenant's orders alone");
        it.add_option("--network", with_->networks,
                      "From where it may be used, such as 10.0.0.0/8; repeat it for more")
            ->delimiter(',')
            ->allow_extra_args(false);
        it.add_option("--expires", with_->expires,
                      "After this long, such as 90d; never if left out");
        add_environment_to(it);
    }
    void add_others() {
        CLI::App& list = add("list", "All keys, without what is secret about them", list_keys);
        list.add_flag("--json", with_->json, "For programs: one a line");
        CLI::App& revoke = add("revoke", "Ends a key at once", revoke_key);
        revoke.add_option("id", with_->id, "The key's id, as list shows it")->required();
        CLI::App& enable = add("enable", "Enables a key that a restore has disabled", enable_key);
        enable.add_option("id", with_->id, "The key's id, as list shows it")->required();
        CLI::App& rotate =
            add("rotate", "Makes a key with the same name and rights in a key's place", rotate_key);
        rotate.add_option("id", with_->id, "The key's id, as list shows it")->required();
        rotate.add_option("--overlap", with_->overlap, "How long the old key still counts")
            ->capture_default_str();
        add_environment_to(rotate);
    }

private:
    CLI::App& add(const char* name, const char* help,
                  int (*what)(auth::key_admin&, const keys_settings&)) {
        auto* out = keys_.add_subcommand(name, help);
        out->fallthrough();
        out->callback([&run_at_last = run_, with = with_, what] {
            run_at_last = [with, what] { return with_admin(*with, what); };
        });
        return *out;
    }
    void add_environment_to(CLI::App& to) {
        to.add_option("--environment", with_->environment,
                      "A word in the key that tells people where it belongs")
            ->capture_default_str();
    }

    std::function<int()>& run_;
    CLI::App& keys_;
    const std::shared_ptr<keys_settings> with_;
};

}  // namespace

void add_keys(command_line to) {
    key_options all(to);
    all.add_create();
    all.add_others();
}

}  // namespace orderproc::server
