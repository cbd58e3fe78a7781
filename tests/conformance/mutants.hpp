#ifndef ORDERPROC_TESTS_CONFORMANCE_MUTANTS_HPP
#define ORDERPROC_TESTS_CONFORMANCE_MUTANTS_HPP

// A check that cannot fail proves nothing: storages that break one promise each, and the case
// that has to notice.

#include "mutant_storage.hpp"

#include <orderproc/testing/storage_cases.hpp>

#include <initializer_list>
#include <ostream>
#include <span>
#include <stdexcept>
#include <vector>

namespace mutants {

struct mutant {
    const char* name;
    const char* noticed_by;
    void (*make)(hooks& h);
};
inline std::ostream& operator<<(std::ostream& out, const mutant& it) {
    return out << it.name;
}

inline const testing::storage_case& find_case(std::string_view name) {
    for (const auto& it : testing::storage_cases()) {
        if (it.name == name) return it;
    }
    throw std::invalid_argument("no case " + std::string(name));
}

// Why the case failed; none if it did not notice.
inline std::optional<std::string> run(const testing::storage_case& what, hooks with) {
    mutant_harness harness(std::move(with));
    try {
        what.run(harness);
    } catch (const testing::case_failed& failed) {
        return failed.what();
    }
    return std::nullopt;
}

std::vector<mutant> writing_mutants();
std::vector<mutant> claiming_mutants();
std::vector<mutant> reading_mutants();
std::vector<mutant> query_mutants();
std::vector<mutant> index_mutants();
std::vector<mutant> redact_mutants();
std::vector<mutant> unchanged_mutants();
std::vector<mutant> record_mutants();
std::vector<mutant> purge_mutants();

inline std::vector<mutant> all_of(std::initializer_list<std::span<const mutant>> tables) {
    std::vector<mutant> out;
    for (const auto& it : tables) out.insert(out.end(), it.begin(), it.end());
    return out;
}

inline transition_order* moving(change& it) {
    return std::get_if<transition_order>(&it.action);
}
inline bool creating(const change& it) {
    return std::holds_alternative<create_order>(it.action);
}

// Part of a write, and nothing of the rest.
inline write_params part(const write_params& of, std::size_t first, std::size_t size) {
    write_params out = of;
    out.changes = of.changes.subspan(first, size);
    out.claims = {};
    out.cursors = {};
    out.records = {};
    out.purges = {};
    return out;
}

inline result<void> stops_at_a_refusal(repository& inner, const write_params& all,
                                       write_results& out) {
    for (std::size_t i = 0; i < all.changes.size(); ++i) {
        write_results one{out.changes.subspan(i, 1), {}, {}};
        if (auto ok = inner.write(part(all, i, 1), one); !ok) return ok;
        if (!out.changes[i].ec) continue;
        for (auto& it : out.changes.subspan(i + 1)) it.ec = errc::unavailable;
        break;
    }
    return {};
}

}  // namespace mutants

#endif
