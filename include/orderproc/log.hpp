#ifndef ORDERPROC_LOG_HPP
#define ORDERPROC_LOG_HPP

// What happens as records for a log. Which log is the host's business: it gives a function.

#include <orderproc/observer.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <variant>

namespace orderproc {
inline namespace v1 {

enum class log_level : std::uint8_t { debug, info, warning, error };
ORDERPROC_EXPORT std::string_view name_of(log_level value) noexcept;  // "warning"

struct log_field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, bool> value;
};

struct log_record {
    log_level level = log_level::info;
    std::string_view event;  // "attempt_retried": a name for programs to look for
    std::span<const log_field> fields;
};

// Called from any thread, several at a time; must not block for long. What it throws is dropped.
// Views are valid during the call. Texts may come from clients: escape them.
using log_sink = std::function<void(const log_record&)>;

// Debug: batches, and what each change did. Info: what went wrong for an order and will be retried.
// Warning: a lease or a connection was lost. Error: an operator has to look at it. Metadata, keys
// and bodies are never logged.
class ORDERPROC_EXPORT log_observer final : public observer {
public:
    explicit log_observer(log_sink to, log_level least = log_level::info);

    void batch_written(const batch_report& it) noexcept override;
    void transition_committed(const transition_report& it) noexcept override;
    void orders_claimed(const claim_report& it) noexcept override;
    void attempt_finished(const attempt_report& it) noexcept override;
    void lease_lost(std::string_view order) noexcept override;
    void broker_changed(const broker_report& it) noexcept override;
    void entry_given_up(const given_up_report& it) noexcept override;
    void message_refused(std::string_view id, std::string_view reason) noexcept override;
    void error(std::string_view where, const failure& what) noexcept override;

private:
    void write(log_level level, std::string_view event, std::span<const log_field> fields) noexcept;

    const log_sink to_;
    const log_level least_;
};

}  // namespace v1
}  // namespace orderproc

#endif
