#ifndef ORDERPROC_SERVER_API_ATTRIBUTE_FILTER_HPP
#define ORDERPROC_SERVER_API_ATTRIBUTE_FILTER_HPP

// The filter of a list by one indexed attribute.

#include "api/query_values.hpp"

#include <orderproc/order_model.hpp>
#include <orderproc/queries.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

class attribute_filter {
public:
    static constexpr std::string_view prefix = "attribute.";

    explicit attribute_filter(const order_model& model) noexcept : model_(model) {}

    // A parameter whose name begins with prefix: what is wrong with it, if anything. allowed: what
    // it may be instead, where that is a list.
    std::string read(std::string_view name, std::string_view value,
                     std::vector<std::string>& allowed);
    // The list is to be sorted by this name, which begins with prefix.
    std::string sort_by(std::string_view name, std::vector<std::string>& allowed);

    bool empty() const noexcept { return rule_ == nullptr; }
    bool is_range() const noexcept { return sorts_ || from_ || to_; }
    // Whether the order of the list is that of its values, because `sort` says so.
    bool sorts() const noexcept { return sorts_; }
    const std::string& name() const noexcept { return rule_->name; }  // REQUIRES: !empty()

    // What goes into the list. REQUIRES: !empty().
    std::optional<bad_parameter> judge(index_condition& out) const;

private:
    const attribute_rule* find(std::string_view name) const noexcept;
    std::string take(const attribute_rule* rule);

    const order_model& model_;
    const attribute_rule* rule_ = nullptr;
    bool sorts_ = false;
    std::optional<std::string> equals_;  // as bytes of the index
    std::optional<std::string> from_;
    std::optional<std::string> to_;
};

}  // namespace orderproc::server

#endif
