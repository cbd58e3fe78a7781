#ifndef ORDERPROC_TESTING_LISTED_HPP
#define ORDERPROC_TESTING_LISTED_HPP

// Orders to be listed, and what a list of them is.

#include "testing/kit.hpp"

#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

// Orders of several users, statuses and moments; several share a moment.
std::vector<order> population(bench& b);

// What list() should answer of these orders, by definition. Not sorted by due_at.
std::vector<order> by_definition(std::vector<order> from, const list_params& params);

std::string describe(const list_params& params);

// Reads all pages and compares them with by_definition().
void expect_listed(bench& b, const std::vector<order>& all, const list_params& params);

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
