#ifndef ORDERPROC_TESTING_SERVER_KIT_HPP
#define ORDERPROC_TESTING_SERVER_KIT_HPP

// What the cases about a database's server are written with.

#include "testing/kit.hpp"

#include <orderproc/testing/server_cases.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

// Nothing is open yet.
struct server_under_test {
    server_harness& harness;
    std::string storage_name = "a storage that cannot be opened";
};

struct server_entry {
    const char* name;
    const char* promise;
    void (*body)(server_under_test& of);
};
void run(const server_entry& what, server_harness& harness);

template <const auto& Entries>
std::vector<server_case> server_cases_of() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::vector<server_case>{
            {Entries[I].name, Entries[I].promise,
             [](server_harness& harness) { run(Entries[I], harness); }}...};
    }
    (std::make_index_sequence<std::size(Entries)>{});
}

std::vector<server_case> server_answer_cases();
std::vector<server_case> server_survival_cases();
std::vector<server_case> server_snapshot_cases();

// Opens the storage so that its first write meets the fault.
class faulty_opening final : public storage_harness {
public:
    faulty_opening(server_harness& in, connection_fault what) : in_(in), what_(what) {}
    std::unique_ptr<storage> open() override;  // throws case_skipped

private:
    server_harness& in_;
    const connection_fault what_;
};

// Connects the bench again, until that works. What is away comes back within silence_max().
void connect_until_it_works(bench& b);

// was_applied() of the writer's write, asked until it is told.
bool resolve(bench& b, std::string_view writer, std::uint64_t sequence);

// Writes as the engine does: again after errc::unavailable, and after errc::outcome_unknown unless
// was_applied() says that it is done.
batch_outcome write_until_certain(bench& b, std::string_view writer, const batch& what);

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
