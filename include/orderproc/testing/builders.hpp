#ifndef ORDERPROC_TESTING_BUILDERS_HPP
#define ORDERPROC_TESTING_BUILDERS_HPP

// Orders and commands for tests, in a line:
//
//   engine.execute(order_builder{}.user(7).items({1, 2}).total("149.99").submit());
//   engine.execute(raise("ORD-1", "cancel"));

#include <orderproc/command.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {

// What a command is sent with beside what it asks for.
struct sent_with {
    std::string_view key = {};                  // an Idempotency-Key; empty: none
    std::string_view body = {};                 // another body with the same key is a mismatch
    std::optional<std::uint64_t> version = {};  // If-Match
    order_scope scope = {};                     // the principal's
    std::string_view actor = {};
    std::string_view traceparent = {};
};

// The digests of a key and a body: equal texts have equal ones, others differ.
ORDERPROC_EXPORT idempotency idempotency_of(std::string_view key, std::string_view body = {});

// An order that is valid as it is: user 1, item 1, USD 1.00. Whatever cannot be read (an id, an
// amount, a currency, a status) throws std::invalid_argument, naming it.
class ORDERPROC_EXPORT order_builder {
public:
    order_builder();

    order_builder& id(std::string_view id);
    order_builder& user(std::int64_t id);
    order_builder& user(std::string_view name);  // of any text; empty: a guest
    order_builder& items(std::initializer_list<std::int64_t> ids);
    order_builder& lines(std::vector<order_line> lines);  // instead of items
    order_builder& total(std::string_view amount, std::string_view currency = "USD");
    order_builder& metadata(std::string_view json);
    order_builder& tenant(std::string_view name);
    order_builder& attribute(std::string_view name, attribute_value value);
    order_builder& annotations(std::string_view json);
    order_builder& status(std::string_view status);  // of orders that a test makes up

    order build() const { return value_; }
    order_draft draft() const;
    command submit(const sent_with& with = {}) const;

private:
    order value_;
};

ORDERPROC_EXPORT command raise(std::string_view order, std::string_view event,
                               const sent_with& with = {});
ORDERPROC_EXPORT command erase(std::string_view order, const sent_with& with = {});
// Every field that clients may edit, as fields has them.
ORDERPROC_EXPORT command edit(std::string_view id, const order_content& fields,
                              const sent_with& with = {});

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
