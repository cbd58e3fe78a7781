#include "storage/postgres/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

std::string field(const pg_result* of, int which) {
    const char* const text = PQresultErrorField(of, which);
    return text ? text : "";
}

// What to do about an SQLSTATE (postgresql.org/docs/15/errcodes-appendix.html).
errc code_of(std::string_view state) {
    if (state == "42501") return errc::not_supported;  // a right is missing
    if (state == "42P01" || state == "42703" || state == "3F000") return errc::schema_mismatch;
    const std::string_view group = state.substr(0, 2);
    if (group == "23" || group == "XX") return errc::corrupt;
    if (group == "22") return errc::invalid_argument;
    return errc::unavailable;
}

// How often, in milliseconds, whoever waits for an answer looks whether there is a newer server.
constexpr std::int64_t look_interval = 200;
// The same where TLS may have deciphered what libpq has not taken yet: the socket is not readable
// then.
constexpr std::int64_t tls_look_interval = 20;

bool ended_well(const pg_result* it) {
    const auto status = PQresultStatus(it);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

std::string trimmed_message(const char* text) {
    std::string out = text ? text : "";
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

std::string quoted_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        out += c;
        if (c == '"') out += c;
    }
    return out + '"';
}

void connection::free_result::operator()(pg_result* it) const noexcept {
    PQclear(it);
}

connection::connection(pg_conn* it, std::chrono::milliseconds answer_timeout)
    : connection(it, answer_timeout, "orderproc_", true) {}

connection::connection(pg_conn* it, std::chrono::milliseconds answer_timeout, std::string name,
                       bool owned)
    : it_(it), answer_timeout_(answer_timeout), name_(std::move(name)), owned_(owned) {
    if (owned_) PQsetNoticeReceiver(it_, &connection::note, this);
}

connection::~connection() {
    if (owned_) PQfinish(it_);
}

std::unique_ptr<connection> connection::borrow(pg_conn* it,
                                               std::chrono::milliseconds answer_timeout,
                                               const std::string& name) {
    return std::unique_ptr<connection>(
        new connection(it, answer_timeout, "orderproc_" + name + "_", false));
}

result<void> connection::take() {
    if (lost_) return failure{errc::unavailable, "the connection to PostgreSQL is lost"};
    if (PQpipelineStatus(it_) != PQ_PIPELINE_OFF) {
        return failure{errc::invalid_argument, "the connection is in pipeline mode"};
    }
    blocked_before_ = PQisnonblocking(it_) == 0;
    if (PQsetnonblocking(it_, 1) != 0 || PQenterPipelineMode(it_) != 1) {
        return failure{errc::invalid_argument, trimmed_message(PQerrorMessage(it_))};
    }
    return {};
}

void connection::give_back() noexcept {
    if (lost_ || PQexitPipelineMode(it_) != 1) return;
    if (blocked_before_) PQsetnonblocking(it_, 0);
}

void connection::note(void* self, const pg_result* notice) {
    auto& it = *static_cast<connection*>(self);
    const std::string severity = field(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == "WARNING") it.warning_ = field(notice, PG_DIAG_MESSAGE_PRIMARY);
}

void connection::start_afresh() {
    discard();
    if (!lost_ && PQtransactionStatus(it_) != PQTRANS_IDLE) roll_back();
}

void connection::add(std::string_view sql, parameters with) {
    queue_.push_back({std::string(sql), std::move(with)});
}

bool connection::send(const queued& it) {
    auto known = names_.find(it.sql);
    prepares_.push_back(known == names_.end());
    if (prepares_.back()) {
        const std::string name = name_ + std::to_string(++names_given_);
        known = names_.emplace(it.sql, name).first;
        unconfirmed_.push_back(it.sql);
        if (PQsendPrepare(it_, name.c_str(), it.sql.c_str(), 0, nullptr) != 1) return false;
    }
    std::vector<const char*> values;
    std::vector<int> sizes;
    for (const auto& value : it.with.all()) {
        values.push_back(value ? value->data() : nullptr);
        sizes.push_back(value ? static_cast<int>(value->size()) : 0);
    }
    const std::vector<int> binary(values.size(), 1);
    return PQsendQueryPrepared(it_, known->second.c_str(), static_cast<int>(values.size()),
                               values.data(), sizes.data(), binary.data(), 1) == 1;
}

result<std::vector<rows>> connection::run() {
    const auto queue = std::exchange(queue_, {});
    warning_.clear();
    state_.clear();
    failed_.reset();
    last_is_unknown_ = false;
    prepares_.clear();
    // An exception has left answers unread.
    lost_ = lost_ || under_way_ || superseded();
    if (lost_) return failure{errc::unavailable, "the connection to PostgreSQL is lost"};
    under_way_ = true;
    const deadline until = std::chrono::steady_clock::now() + answer_timeout_;
    bool sent = true;
    for (const queued& it : queue) sent = sent && send(it);
    if (!sent || PQpipelineSync(it_) != 1) {
        last_is_unknown_ = true;  // how much of it was sent is not told
        lose(trimmed_message(PQerrorMessage(it_)));
        return std::move(*failed_);
    }
    std::vector<rows> out;
    out.reserve(queue.size());
    if (!read_all(until, out)) {
        forget_unconfirmed();
        under_way_ = false;
        return std::move(*failed_);
    }
    unconfirmed_.clear();
    under_way_ = false;
    return out;
}

bool connection::read_all(deadline until, std::vector<rows>& out) {
    for (std::size_t i = 0; i < prepares_.size() && !lost_; ++i) {
        const bool before = failed_.has_value();
        if (prepares_[i]) read_one(until, nullptr);
        if (!lost_) read_one(until, &out);
        if (!before && failed_) last_is_unknown_ = lost_ || i + 1 == prepares_.size();
    }
    if (lost_) return false;
    const bool well = !failed_;
    const answer end = next(until);
    if (well && PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) {
        last_is_unknown_ = true;
        lose("PostgreSQL does not answer as it should");
    }
    return !failed_;
}

bool connection::read_one(deadline until, std::vector<rows>* out) {
    answer it = next(until);
    if (lost_) return false;
    const bool well = ended_well(it.get());
    if (!well && !failed_) refuse(it.get());
    if (well && out) out->emplace_back(it.release());
    while (!lost_ && next(until)) {
    }
    return well && !lost_;
}

// Null: the end of the answers to one statement, or the connection is lost.
connection::answer connection::next(deadline until) {
    while (PQisBusy(it_) != 0) {
        if (!wait(until)) return nullptr;
    }
    answer out(PQgetResult(it_));
    if (PQstatus(it_) == CONNECTION_BAD) {
        lose(out ? trimmed_message(PQresultErrorMessage(out.get()))
                 : trimmed_message(PQerrorMessage(it_)));
        return nullptr;
    }
    return out;
}

bool connection::wait(deadline until) {
    using std::chrono::milliseconds;
    const int unsent = PQflush(it_);
    const auto left =
        std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    if (unsent < 0 || left.count() <= 0 || superseded()) {
        lose(unsent < 0     ? trimmed_message(PQerrorMessage(it_))
             : superseded() ? "another server was promoted while this one did not answer"
                            : "PostgreSQL did not answer within " +
                                  std::to_string(answer_timeout_.count()) + " ms");
        return false;
    }
    const short events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd on{PQsocket(it_), events, 0};
    const bool in_tls = PQsslInUse(it_) != 0;
    const std::int64_t longest = in_tls ? tls_look_interval : look_interval;
    const int ready =
        ::poll(&on, 1, static_cast<int>(std::min<std::int64_t>(left.count(), longest)));
    if (ready < 0 && errno != EINTR) {
        lose(std::strerror(errno));
        return false;
    }
    if ((ready > 0 || in_tls) && PQconsumeInput(it_) != 1) {
        lose(trimmed_message(PQerrorMessage(it_)));
        return false;
    }
    return true;
}

bool connection::superseded() const noexcept {
    return newest_timeline_ && newest_timeline_->load() > timeline_;
}

void connection::lose(std::string why) {
    lost_ = true;
    if (!failed_) failed_ = failure{errc::unavailable, std::move(why)};
}

void connection::refuse(const pg_result* by) {
    state_ = field(by, PG_DIAG_SQLSTATE);
    if (owned_ && (state_ == "42P05" || state_ == "26000")) {
        failed_ = shared_session();
        return;
    }
    std::string text = field(by, PG_DIAG_MESSAGE_PRIMARY);
    if (text.empty()) text = trimmed_message(PQresultErrorMessage(by));
    if (state_ == "55P03") text = "another writer kept the write lock for too long: " + text;
    failed_ = failure{code_of(state_), std::move(text)};
}

int connection::backend() const noexcept {
    return PQbackendPID(it_);
}

failure shared_session() {
    return {errc::not_supported,
            "a pooler in front of PostgreSQL gives each transaction another session: set its "
            "pool_mode to session, or connect directly"};
}

void connection::forget_unconfirmed() {
    for (const std::string& it : std::exchange(unconfirmed_, {})) names_.erase(it);
}

void connection::roll_back() {
    if (lost_) return;
    add("ROLLBACK");
    (void)run();
}

result<void> connection::execute(const std::string& sql, deadline until) {
    failed_.reset();
    if (PQexitPipelineMode(it_) != 1 || PQsendQuery(it_, sql.c_str()) != 1) {
        lose(trimmed_message(PQerrorMessage(it_)));
    }
    while (!lost_) {
        const answer it = next(until);
        if (!it) break;
        if (!ended_well(it.get()) && !failed_) refuse(it.get());
    }
    if (!lost_ && PQenterPipelineMode(it_) != 1) lose(trimmed_message(PQerrorMessage(it_)));
    if (failed_) return std::move(*failed_);
    return {};
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
