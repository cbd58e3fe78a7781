#ifndef ORDERPROC_LIB_BRIDGE_MODEL_WORDS_HPP
#define ORDERPROC_LIB_BRIDGE_MODEL_WORDS_HPP

// How a model's text names the values of enumerations, for those who read it and who write it.

#include <orderproc/order_model.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// The names of an enumeration's values, which count from 0, in their order.
template <class Enum>
inline constexpr std::array<std::string_view, 0> words_of{};
template <>
inline constexpr std::array<std::string_view, 2> words_of<items_form>{"item_ids", "lines"};
template <>
inline constexpr std::array<std::string_view, 3> words_of<user_form>{"integer", "text", "none"};
template <>
inline constexpr std::array<std::string_view, 2> words_of<id_form>{"plain", "any"};
template <>
inline constexpr std::array<std::string_view, 6> words_of<attribute_type>{
    "text", "integer", "amount", "boolean", "time", "choice"};
template <>
inline constexpr std::array<std::string_view, 5> words_of<text_characters>{
    "any", "ascii", "alphanumeric", "token", "digits"};
template <>
inline constexpr std::array<std::string_view, 3> words_of<attribute_edits>{"until_work", "never",
                                                                           "always"};
template <>
inline constexpr std::array<std::string_view, 3> words_of<attribute_unique>{"no", "in_tenant",
                                                                            "everywhere"};

template <class Enum>
constexpr std::string_view word_for(Enum value) noexcept {
    return words_of<Enum>[static_cast<std::size_t>(value)];
}

// The size_max of a text that does not say one.
constexpr std::size_t default_size_max(const attribute_rule& of) noexcept {
    return of.indexed ? attribute_rule::indexed_text_size_max : order_attribute::text_size_max;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
