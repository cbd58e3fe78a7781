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

const std::string* find(const std::vector<keyword>& in, std::string_view name) {
    const auto it = std::find_if(in.begin(), in.end(),
                                 [&](const keyword& known) { return known.name == name; });
    return it == in.end() ? nullptr : &it->value;
}

void add_if_absent(std::vector<keyword>& to, std::string name, std::string value) {
    if (!find(to, name)) to.push_back({std::move(name), std::move(value)});
}

struct free_all {
    void operator()(PQconninfoOption* it) const noexcept { PQconninfoFree(it); }
};
using known_keywords = std::unique_ptr<PQconninfoOption, free_all>;

std::vector<keyword> values_in(const known_keywords& all) {
    std::vector<keyword> out;
    for (const PQconninfoOption* it = all.get(); it && it->keyword; ++it) {
        if (it->val) out.push_back({it->keyword, it->val});
    }
    return out;
}

// libpq's own message may quote a password.
result<std::vector<keyword>> parse(const std::string& text) {
    char* why = nullptr;
    const known_keywords found(PQconninfoParse(text.c_str(), &why));
    PQfreemem(why);
    if (!found) return invalid("connection is no connection string or URI of PostgreSQL");
    return values_in(found);
}

bool is_near(std::string_view host) {
    return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" ||
           host == "::1" || host.starts_with("127.");
}

// Are all hosts reached by a Unix socket or the loopback interface? What is not given comes from
// libpq's environment: PGHOST, PGSERVICE.
bool all_near(const std::vector<keyword>& given) {
    if (find(given, "service")) return false;  // libpq alone knows
    const std::vector<keyword> others = values_in(known_keywords(PQconndefaults()));
    const std::string* hosts = nullptr;
    for (const char* name : {"hostaddr", "host"}) {
        if (!hosts) hosts = find(given, name);
        if (!hosts) hosts = find(others, name);
    }
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

// Plans must not depend on statistics: those of an empty table keep its plans slow until somebody
// analyses it. A client that hangs between the two parts of a write, or whose host is gone, does
// not keep the others waiting.
std::vector<keyword> session(const postgres_options& options) {
    std::vector<keyword> out = write_settings(options);
    out.push_back({"idle_in_transaction_session_timeout", milliseconds_text(hang_max(options))});
    out.push_back({"tcp_keepalives_idle", "5"});
    out.push_back({"tcp_keepalives_interval", "2"});
    out.push_back({"tcp_keepalives_count", "3"});
    out.push_back({"default_transaction_isolation", "read committed"});
    out.push_back({"client_encoding", "UTF8"});
    // That a commit has not waited for its standby is told by a warning.
    out.push_back({"client_min_messages", "warning"});
    return out;
}

}  // namespace

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

std::chrono::milliseconds hang_max(const postgres_options& options) {
    return std::max<std::chrono::milliseconds>(std::chrono::seconds(2),
                                               options.lock_timeout * 2 / 5);
}

std::vector<keyword> write_settings(const postgres_options& options) {
    std::vector<keyword> out{
        {"search_path", quoted_name(options.schema)},
        {"lock_timeout", milliseconds_text(options.lock_timeout)},
        {"plan_cache_mode", "force_generic_plan"},
        {"jit", "off"},
    };
    for (const char* method : {"seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort",
                               "incremental_sort", "material", "memoize"}) {
        out.push_back({std::string("enable_") + method, "off"});
    }
    return out;
}

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
