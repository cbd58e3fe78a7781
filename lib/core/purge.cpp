#include <orderproc/purge.hpp>

#include <string>

namespace orderproc {
inline namespace v1 {

result<void> validate(const purge_orders& what) {
    if (what.limit == 0 || what.limit > purge_limit_max) {
        return failure{errc::invalid_argument,
                       "limit of a purge: 1 to 65,536, not " + std::to_string(what.limit)};
    }
    if (what.hold_max < what.hold_max.zero()) {
        return failure{errc::invalid_argument, "hold_max of a purge is negative"};
    }
    return {};
}

}  // namespace v1
}  // namespace orderproc
