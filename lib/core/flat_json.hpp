#ifndef ORDERPROC_LIB_CORE_FLAT_JSON_HPP
#define ORDERPROC_LIB_CORE_FLAT_JSON_HPP

// Records as JSON objects whose members are texts, numbers and lists of texts.

#include <orderproc/error.hpp>
#include <orderproc/timestamp.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Members are written in the order of the calls. What is empty is left out.
class ORDERPROC_EXPORT flat_writer {
public:
    void text(std::string_view name, std::string_view value);
    void optional_text(std::string_view name, const std::optional<std::string>& value);
    void number(std::string_view name, std::uint64_t value);  // 0 is left out
    void time(std::string_view name, const std::optional<timestamp>& value);
    void texts(std::string_view name, const std::vector<std::string>& values);
    std::string finish() &&;

private:
    void begin(std::string_view name);
    std::string out_ = "{";
};

// A member that is not there is empty, 0 or none. A member of another kind is as if it was not
// there; whoever needs one asks whether what came is whole.
class ORDERPROC_EXPORT flat_reader {
public:
    static std::optional<flat_reader> parse(std::string_view text);  // nullopt: it is none

    std::string text(std::string_view name) const;
    std::optional<std::string> optional_text(std::string_view name) const;
    std::uint64_t number(std::string_view name) const;
    std::optional<timestamp> time(std::string_view name) const;
    std::vector<std::string> texts(std::string_view name) const;

private:
    struct member {
        std::string name;
        bool is_number = false;
        std::string text;
        std::vector<std::string> texts;
    };
    const member* find(std::string_view name) const;
    std::vector<member> members_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
