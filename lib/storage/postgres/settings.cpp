#include "storage/postgres/settings.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

constexpr std::size_t schema_size_max = 63;

failure invalid(std::string text) {
    return {errc::invalid_argument, std::move(text)};
}

result<void> check(const postgres_options& options) {
    const std::string& schema = options.schema;
    if (schema.empty() || schema.size() > schema_size_max || schema.find('\0') != schema.npos) {
        return invalid("schema must have 1 to 63 bytes without NUL");
    }
    if (options.connection.find('\0') != std::string::npos) {
        return invalid("connection must not contain NUL");
    }
    if (options.lock_timeout.count() < 1) return invalid("lock_timeout must be at least 1 ms");
    if (options.answer_timeout <= options.lock_timeout) {
        return invalid("answer_timeout must be longer than lock_timeout");
    }
    if (options.clock_skew_max.count() < 0) return invalid("clock_skew_max is negative");
    return {};
}

const std::string* find(const std::vector<keyword>& in, std::string_view name) {
    const auto it = std::find_if(in.begin(), in.end(),
                                 [&](const keyword& known) { return known.name == name; });
    return it == in.end() ? nullptr : &it->value;
}

void add_if_absent(std::vector<keyword>& to, std::string name, std::string value) {
    if (!find(to, name)) to.push_back({std::move(name), std::move(value)});
}

// libpq's own message may quote a password.
result<std::vector<keyword>> parse(const std::string& text) {
    struct free_all {
        void operator()(PQconninfoOption* it) const noexcept { PQconninfoFree(it); }
    };
    char* why = nullptr;
    const std::unique_ptr<PQconninfoOption, free_all> found(PQconninfoParse(text.c_str(), &why));
    PQfreemem(why);
    if (!found) return invalid("connection is no connection string or URI of PostgreSQL");
    std::vector<keyword> out;
    for (const PQconninfoOption* it = found.get(); it->keyword; ++it) {
        if (it->val) out.push_back({it->keyword, it->val});
    }
    return out;
}

bool is_near(std::string_view host) {
    return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" ||
           host == "::1" || host.starts_with("127.");
}

// Are all hosts reached by a Unix socket or the loopback interface?
bool all_near(const std::vector<keyword>& of) {
    const std::string* hosts = find(of, "hostaddr");
    if (!hosts) hosts = find(of, "host");
    std::string_view rest = hosts ? std::string_view(*hosts) : std::string_view();
    while (true) {
        const auto comma = rest.find(',');
        if (!is_near(rest.substr(0, comma))) return false;
        if (comma == rest.npos) return true;
        rest.remove_prefix(comma + 1);
    }
}

std::string milliseconds_text(std::chrono::milliseconds time) {
    return std::to_string(time.count());
}

// After so long, the server ends a transaction that has the write lock and does nothing.
std::chrono::milliseconds hang_max(const postgres_options& options) {
    return std::max<std::chrono::milliseconds>(std::chrono::seconds(2),
                                               options.lock_timeout * 2 / 5);
}

// Plans must not depend on statistics: those of an empty table keep its plans slow until somebody
// analyses it. A client that hangs between the two parts of a write, or whose host is gone, does
// not keep the others waiting.
std::string session(const postgres_options& options) {
    const std::pair<const char*, std::string> all[] = {
        {"search_path", quoted_name(options.schema)},
        {"lock_timeout", milliseconds_text(options.lock_timeout)},
        {"idle_in_transaction_session_timeout", milliseconds_text(hang_max(options))},
        {"tcp_keepalives_idle", "5"},
        {"tcp_keepalives_interval", "2"},
        {"tcp_keepalives_count", "3"},
        {"default_transaction_isolation", "read committed"},
        // A commit that did not wait for its standby tells so by a warning.
        {"client_min_messages", "warning"},
        {"plan_cache_mode", "force_generic_plan"},
        {"enable_seqscan", "off"},
        {"enable_bitmapscan", "off"},
        {"enable_hashjoin", "off"},
        {"enable_mergejoin", "off"},
        {"enable_sort", "off"},
        {"enable_incremental_sort", "off"},
        {"enable_material", "off"},
        {"enable_memoize", "off"},
        {"jit", "off"},
    };
    std::string out;
    for (const auto& [name, value] : all) {
        out += (out.empty() ? "SELECT set_config('" : ", set_config('") + std::string(name) +
               "', " + quoted_text(value) + ", false)";
    }
    return out;
}

}  // namespace

result<connection_settings> settings_of(const postgres_options& options) {
    if (auto ok = check(options); !ok) return std::move(ok).error();
    auto keywords = parse(options.connection);
    if (!keywords) return std::move(keywords).error();
    if (!all_near(*keywords)) add_if_absent(*keywords, "sslmode", "verify-full");
    add_if_absent(*keywords, "connect_timeout", "5");
    add_if_absent(*keywords, "tcp_user_timeout", "10000");
    add_if_absent(*keywords, "keepalives_idle", "5");
    add_if_absent(*keywords, "keepalives_interval", "2");
    add_if_absent(*keywords, "application_name", "orderproc");
    add_if_absent(*keywords, "target_session_attrs", "read-write");
    return connection_settings{std::move(*keywords), session(options), options.answer_timeout};
}

std::string name_of(const connection_settings& settings) {
    std::string out = "postgresql:";
    if (const std::string* host = find(settings.keywords, "host")) out += *host;
    if (const std::string* database = find(settings.keywords, "dbname")) out += "/" + *database;
    return out;
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
