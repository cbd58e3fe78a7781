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
// …and when one has said that it is not the one, or is known to be an old one.
constexpr milliseconds beside_refusal(1000);

struct finish {
    void operator()(pg_conn* it) const noexcept { PQfinish(it); }
};

constexpr int oldest_server = 140'000;

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

// The session, and the timeline of the server.
result<server_connection> set_up(pg_conn* connected, const connection_settings& settings) {
    server_connection out;
    out.db = std::make_unique<connection>(connected, connect_timeout(settings));
    if (const int version = PQserverVersion(connected); version < oldest_server) {
        return failure{errc::not_supported, "this server is PostgreSQL " +
                                                std::to_string(version / 10'000) +
                                                ": 14 or later is needed"};
    }
    if (auto ready = out.db->take(); !ready) return std::move(ready).error();
    array names(element::text);
    array values(element::text);
    for (const keyword& it : settings.session) {
        names.add(std::string_view(it.name));
        values.add(std::string_view(it.value));
    }
    out.db->add(
        "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) "
        "t(name, value)",
        parameters::of(std::move(names), std::move(values)));
    out.db->add(std::string("SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE ") + timeline_sql +
                " END");
    const auto found = out.db->run();
    if (!found) return found.error();
    out.timeline = found->back().integer(0, 0);
    if (out.timeline == 0) {
        return failure{errc::unavailable, "this server is a standby, which takes no writes"};
    }
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

// All hosts, until one of them is the one, or time is over.
class search {
public:
    search(const connection_settings& all, std::int64_t known)
        : hosts_(settings_of_hosts(all)),
          known_(known),
          until_(steady_clock::now() + connect_timeout(all)) {
        attempts_.reserve(hosts_.size());
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            attempts_.emplace_back(hosts_[i]);
            if (!attempts_.back().under_way()) end(i);
        }
    }

    result<server_connection> run() {
        while (wait()) {
        }
        for (const attempt& it : attempts_) {
            if (it.under_way()) explain("a host does not answer");
        }
        if (best_ && best_->timeline >= known_) return std::move(best_);
        if (best_) {
            explain("a server is on timeline " + std::to_string(best_->timeline) +
                    ", and another one was promoted to timeline " + std::to_string(known_) +
                    " since");
        }
        if (why_.find("session is read-only") != why_.npos) {
            why_ = "no PostgreSQL server that takes writes was found: " + why_;
        }
        const error_code ec = best_ ? make_error_code(errc::unavailable) : best_.error().code;
        return failure{ec, std::move(why_)};
    }

private:
    // False: that is all.
    bool wait() {
        std::vector<pollfd> on;
        std::vector<std::size_t> whose;
        for (std::size_t i = 0; i < attempts_.size(); ++i) {
            if (!attempts_[i].under_way()) continue;
            on.push_back(attempts_[i].wanted());
            whose.push_back(i);
        }
        const auto left = std::chrono::ceil<milliseconds>(until_ - steady_clock::now());
        if (on.empty() || left.count() <= 0) return false;
        if (::poll(on.data(), on.size(), static_cast<int>(left.count())) <= 0) return true;
        for (std::size_t i = 0; i < on.size(); ++i) {
            if (on[i].revents == 0) continue;
            attempts_[whose[i]].go_on();
            if (!attempts_[whose[i]].under_way()) end(whose[i]);
        }
        return true;
    }

    void end(std::size_t host) {
        attempt& it = attempts_[host];
        auto found = it.connected()
                         ? set_up(it.release(), hosts_[host])
                         : result<server_connection>(failure{errc::unavailable, it.error()});
        // Whoever is on an older timeline may be faster than the one that is looked for.
        const bool may_be_it = found && found->timeline >= known_;
        if (!found) {
            explain(found.error().detail);
            if (!best_) best_ = std::move(found);
        } else if (!best_ || found->timeline > best_->timeline) {
            best_ = std::move(found);
        }
        until_ =
            std::min(until_, steady_clock::now() + (may_be_it ? beside_success : beside_refusal));
    }

    void explain(const std::string& text) { why_ += (why_.empty() ? "" : "; ") + text; }

    const std::vector<connection_settings> hosts_;
    const std::int64_t known_;
    steady_clock::time_point until_;
    std::vector<attempt> attempts_;
    result<server_connection> best_ = errc::unavailable;
    std::string why_;
};

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

result<server_connection> connect_to_primary(const connection_settings& settings,
                                             std::int64_t known_timeline) {
    return search(settings, known_timeline).run();
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
