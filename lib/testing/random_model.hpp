#ifndef ORDERPROC_TESTING_RANDOM_MODEL_HPP
#define ORDERPROC_TESTING_RANDOM_MODEL_HPP

// Order models by chance, and orders that are right under them: of few values, so that many are
// equal.

#include <orderproc/change.hpp>
#include <orderproc/testing/manual_clock.hpp>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

order_model random_model(seeded_random& chance);

// Without an id.
order_content random_content(const order_model& model, seeded_random& chance);

// What may change in every status.
annotate_order random_annotation(const order_model& model, seeded_random& chance);

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
