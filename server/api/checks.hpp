#ifndef ORDERPROC_SERVER_API_CHECKS_HPP
#define ORDERPROC_SERVER_API_CHECKS_HPP

// What is not as it should be: one table of checks, which /readyz, /findings and `orderproc doctor`
// share.

#include "api/health_reason.hpp"
#include "api/work_facts.hpp"

#include <orderproc/dead_letters.hpp>
#include <orderproc/purge_preview.hpp>
#include <orderproc/queries.hpp>
#include <orderproc/status_machine.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

enum class finding_severity : std::uint8_t { warning, problem };
std::string_view name_of(finding_severity value) noexcept;  // "problem"

struct finding {
    std::string text;  // one or two sentences, for people
    std::optional<timestamp> since = {};
    std::optional<std::uint64_t> count = {};  // of orders, endpoints, workers or entries
    std::string name = {};                    // what check::name_is says; empty: null
};

// What the storage says. Costs the same at ten orders and ten million.
struct stored_facts : work_facts {
    dead_letter_groups dead;  // of the newest
    struct paused_endpoint {
        std::string id;
        std::string host;  // with the scheme; what follows in an address is often a secret
    };
    std::vector<paused_endpoint> paused_endpoints;
    std::vector<purge_holder> purge_holders;
};
// enough: asked now and then; true ends the look at dead letters where it is.
result<stored_facts> read_stored_facts(repository_reader& from, const status_machine& machine,
                                       timestamp now, const std::function<bool()>& enough = {});

struct check_input {
    std::span<const health_reason> process;  // of health: see health_codes
    const stored_facts* stored = nullptr;    // none: the storage cannot be read, or was not asked
    const status_machine& machine;
    timestamp now{};
    // This process purges what has been settled for longer. None: nothing, as far as it knows.
    std::optional<std::chrono::milliseconds> retained = {};
};

// What a finding means for /readyz.
enum class readiness_effect : std::uint8_t { none, degraded, unready };

struct check {
    std::string_view code;     // for programs
    std::string_view subject;  // for people: "dead letters"
    std::string_view kind;     // of what a finding is about: "worker"
    std::string_view name_is;  // what its name is: "name"; empty: it has none
    finding_severity severity = finding_severity::warning;
    readiness_effect effect = readiness_effect::none;
    bool needs_storage = false;
    std::vector<finding> (*look)(const check& self, const check_input& in) = nullptr;
};

// Problems first.
std::span<const check> all_checks() noexcept;
const check* find_check(std::string_view code) noexcept;

}  // namespace orderproc::server

#endif
