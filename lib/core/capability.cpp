#include <orderproc/capability.hpp>

#include <array>
#include <cstddef>

namespace orderproc {
inline namespace v1 {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 9> capability_names{"epochs",    "records",   "purge",
                                                           "id_lists",  "due_lists", "totals",
                                                           "positions", "indexes",   "redaction"};

}  // namespace

std::string_view to_string(capability it) noexcept {
    const auto index = static_cast<std::size_t>(it);
    return index < capability_names.size() ? capability_names[index] : "unknown";
}

std::string to_string(const capability_set& all) {
    std::string out;
    for (std::size_t i = 0; i < capability_names.size(); ++i) {
        if (!all.has(static_cast<capability>(i))) continue;
        if (!out.empty()) out += ", ";
        out += capability_names[i];
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
