#include "storage/postgres/connecting.hpp"

#include "storage/postgres/epochs.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long other hosts are waited for when one has been connected to: a newer server may be among
// them…
constexpr milliseconds beside_success(200);
// …and when one has said that it is not the one.
constexpr milliseconds beside_refusal(1000);

struct finish {
    void operator()(pg_conn* it) const noexcept { PQfinish(it); }
};

// One host that is being connected to (postgresql.org/docs/15/libpq-connect.html).
class attempt {
public:
    explicit attempt(const connection_settings& to) {
        std::vector<const char*> names;
        std::vector<const char*> values;
        for (const keyword& it : to.keywords) {
            names.push_back(it.name.c_str());
            values.push_back(it.value.c_str());
        }
        names.push_back(nullptr);
        values.push_back(nullptr);
        it_.reset(PQconnectStartParams(names.data(), values.data(), 0));
        const bool failed = !it_ || PQstatus(it_.get()) == CONNECTION_BAD;
        next_ = failed ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    }

    bool under_way() const {
        return next_ == PGRES_POLLING_READING || next_ == PGRES_POLLING_WRITING;
    }
    bool connected() const { return next_ == PGRES_POLLING_OK; }
    pollfd wanted() const {
        const bool reads = next_ == PGRES_POLLING_READING;
        return {PQsocket(it_.get()), static_cast<short>(reads ? POLLIN : POLLOUT), 0};
    }
    void go_on() { next_ = PQconnectPoll(it_.get()); }
    pg_conn* release() { return it_.release(); }
    std::string error() const {
        if (!it_) return "PostgreSQL's library has no memory left";
        return trimmed_message(PQerrorMessage(it_.get()));
    }

private:
    std::unique_ptr<pg_conn, finish> it_;
    PostgresPollingStatusType next_;
};

milliseconds connect_timeout(const connection_settings& of) {
    int seconds = 0;
    for (const keyword& it : of.keywords) {
        if (it.name != "connect_timeout") continue;
        std::from_chars(it.value.data(), it.value.data() + it.value.size(), seconds);
    }
    return seconds > 0 ? milliseconds(std::chrono::seconds(seconds)) : of.answer_timeout;
}

// Until all have ended, or until enough of them have.
void wait_for(std::vector<attempt>& all, milliseconds at_most) {
    const bool all_wait =
        std::all_of(all.begin(), all.end(), [](const attempt& it) { return it.under_way(); });
    auto until = steady_clock::now() + (all_wait ? at_most : std::min(at_most, beside_refusal));
    while (true) {
        std::vector<pollfd> on;
        std::vector<attempt*> under_way;
        for (attempt& it : all) {
            if (!it.under_way()) continue;
            on.push_back(it.wanted());
            under_way.push_back(&it);
        }
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (on.empty() || left.count() <= 0) return;
        if (::poll(on.data(), on.size(), static_cast<int>(left.count())) <= 0) continue;
        for (std::size_t i = 0; i < on.size(); ++i) {
            if (on[i].revents == 0) continue;
            under_way[i]->go_on();
            if (under_way[i]->under_way()) continue;
            const auto beside = under_way[i]->connected() ? beside_success : beside_refusal;
            until = std::min(until, steady_clock::now() + beside);
        }
    }
}

// The session, and the timeline of the server.
result<server_connection> set_up(pg_conn* connected, const connection_settings& settings) {
    server_connection out;
    out.db = std::make_unique<connection>(connected, connect_timeout(settings));
    if (PQsetnonblocking(connected, 1) != 0 || PQenterPipelineMode(connected) != 1) {
        return failure{errc::unavailable, trimmed_message(PQerrorMessage(connected))};
    }
    out.db->add(settings.on_connect);
    out.db->add(std::string("SELECT ") + timeline_sql);
    const auto found = out.db->run();
    if (!found) return found.error();
    out.timeline = found->back().integer(0, 0);
    out.db->answer_within(settings.answer_timeout);
    return out;
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> out;
    while (true) {
        const auto comma = list.find(',');
        out.emplace_back(list.substr(0, comma));
        if (comma == list.npos) return out;
        list.remove_prefix(comma + 1);
    }
}

bool is_of_each_host(const keyword& it) {
    return it.name == "host" || it.name == "hostaddr" || it.name == "port";
}

}  // namespace

std::vector<connection_settings> settings_of_hosts(const connection_settings& all) {
    std::size_t hosts = 1;
    for (const keyword& it : all.keywords) {
        if (is_of_each_host(it)) hosts = std::max(hosts, split(it.value).size());
    }
    std::vector<connection_settings> out(hosts, all);
    for (std::size_t i = 0; i < hosts; ++i) {
        for (keyword& it : out[i].keywords) {
            if (!is_of_each_host(it)) continue;
            const auto values = split(it.value);
            it.value = values.size() == 1 ? values.front() : i < values.size() ? values[i] : "";
        }
    }
    return out;
}

result<server_connection> connect_to_primary(const connection_settings& settings) {
    const auto hosts = settings_of_hosts(settings);
    std::vector<attempt> all;
    all.reserve(hosts.size());
    for (const connection_settings& it : hosts) all.emplace_back(it);
    wait_for(all, connect_timeout(settings));
    result<server_connection> best = errc::unavailable;
    std::string why;
    const auto add = [&why](const std::string& text) { why += (why.empty() ? "" : "; ") + text; };
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].connected()) {
            add(all[i].under_way() ? "a host does not answer" : all[i].error());
            continue;
        }
        auto made = set_up(all[i].release(), hosts[i]);
        if (!made) {
            if (!best) best = made.error();
            add(made.error().detail);
        } else if (!best || made->timeline > best->timeline) {
            best = std::move(made);
        }
    }
    if (!best) return failure{best.error().code, std::move(why)};
    return best;
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
