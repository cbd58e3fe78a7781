#ifndef ORDERPROC_STORAGE_POSTGRES_CONNECTION_HPP
#define ORDERPROC_STORAGE_POSTGRES_CONNECTION_HPP

// One connection. Statements are gathered and sent together, in one round trip, by libpq's pipeline
// mode (postgresql.org/docs/15/libpq-pipeline-mode.html); each is prepared when it is first used.

#include "storage/postgres/values.hpp"

#include <orderproc/error.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct pg_conn;

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// What libpq is told: keywords and values (postgresql.org/docs/15/libpq-connect.html).
struct keyword {
    std::string name;
    std::string value;
};

struct connection_settings {
    std::vector<keyword> keywords;
    std::vector<keyword> session;                 // the server's settings for this session
    std::chrono::milliseconds answer_timeout{0};  // for all that one run() sends
};

class connection {
public:
    using deadline = std::chrono::steady_clock::time_point;

    // Takes over one that is connected.
    connection(pg_conn* it, std::chrono::milliseconds answer_timeout);
    // Somebody else's, left open; to be used between take() and give_back(). The names of its
    // statements have this in them.
    static std::unique_ptr<connection> borrow(pg_conn* it, std::chrono::milliseconds answer_timeout,
                                              const std::string& name);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // For all that one run() sends.
    void answer_within(std::chrono::milliseconds time) noexcept { answer_timeout_ = time; }
    // The timeline of its server. As soon as newest is a later one, the connection counts as lost,
    // also while it waits for an answer. newest outlives it.
    void belong_to(std::int64_t timeline, const std::atomic<std::int64_t>& newest) noexcept {
        timeline_ = timeline;
        newest_timeline_ = &newest;
    }

    // Drops what was added and not sent: somebody had no memory to go on.
    void discard() noexcept { queue_.clear(); }
    // The same, and rolls a transaction back that was left open for the same reason.
    void start_afresh();
    // Adds a statement to those that run() sends.
    void add(std::string_view sql, parameters with = {});
    // Sends what was added and reads the answers, one for each statement. On failure those after
    // the one that failed have done nothing, and the transaction is to be rolled back.
    // errc::unavailable: the connection is lost, or the server could not do it now.
    result<std::vector<rows>> run();

    // After run() failed: the last statement may have been carried out all the same.
    bool last_is_unknown() const noexcept { return last_is_unknown_; }
    // The server gave a warning during the latest run().
    bool warned() const noexcept { return !warning_.empty(); }
    const std::string& warning() const noexcept { return warning_; }
    bool lost() const noexcept { return lost_; }
    // The SQLSTATE of the latest run(), if a statement failed.
    const std::string& state() const noexcept { return state_; }
    // As it was told when it connected. That of a pooler in between is not the server's.
    int backend() const noexcept;

    // For a transaction that failed. Without an answer the connection is lost.
    void roll_back();

    // One statement or several without parameters, outside of the pipeline.
    result<void> execute(const std::string& sql, deadline until = deadline::max());

    // errc::invalid_argument: its owner is in the middle of something.
    result<void> take();
    // As it was. A connection that is lost stays as it is, and nothing can be done with it.
    void give_back() noexcept;

private:
    struct queued {
        std::string sql;
        parameters with;
    };
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };
    struct free_result {
        void operator()(pg_result* it) const noexcept;
    };
    using answer = std::unique_ptr<pg_result, free_result>;

    connection(pg_conn* it, std::chrono::milliseconds answer_timeout, std::string name, bool owned);
    bool send(const queued& it);
    // Whether it ended well; if not, the first failure is kept. A result is given if asked for.
    bool read_one(deadline until, std::vector<rows>* out);
    bool read_all(deadline until, std::vector<rows>& out);
    answer next(deadline until);
    bool wait(deadline until);
    bool superseded() const noexcept;
    void lose(std::string why);
    void refuse(const pg_result* by);
    void forget_unconfirmed();
    static void note(void* self, const pg_result* notice);

    pg_conn* it_;
    std::chrono::milliseconds answer_timeout_;
    std::int64_t timeline_ = 0;
    const std::atomic<std::int64_t>* newest_timeline_ = nullptr;
    const std::string name_;  // of its statements, and then a number
    const bool owned_;
    bool blocked_before_ = false;  // of a borrowed one
    std::vector<queued> queue_;
    std::unordered_map<std::string, std::string, hash, std::equal_to<>> names_;  // by SQL
    std::uint64_t names_given_ = 0;
    std::vector<std::string> unconfirmed_;  // SQL whose preparation was not answered yet
    std::vector<bool> prepares_;            // of what was sent: was it prepared before?
    std::optional<failure> failed_;         // of the run under way
    std::string warning_;
    std::string state_;  // SQLSTATE of its failure
    bool lost_ = false;
    bool under_way_ = false;  // answers are not read yet
    bool last_is_unknown_ = false;
};

// Prepared statements and settings belong to a session: it cannot be one that others use as well.
failure shared_session();

// What libpq or the server says, which may have several lines, as one.
std::string trimmed_message(const char* text);
// "orderproc", in quotes.
std::string quoted_name(std::string_view name);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
