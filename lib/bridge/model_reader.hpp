#ifndef ORDERPROC_LIB_BRIDGE_MODEL_READER_HPP
#define ORDERPROC_LIB_BRIDGE_MODEL_READER_HPP

// What a model's text says, before anybody has judged what it means.

#include "core/json_reader.hpp"

#include <orderproc/json.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/status_machine.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// The views of transition_rule and work_stage, as texts.
struct transition_text {
    std::string event;
    std::vector<order_status> from;
    order_status to;
    bool open_to_clients = false;
    std::string scope;  // empty: the default
};
struct stage_text {
    order_status waiting, active, failed;
    std::string start, release, fail;
};
struct machine_text {
    order_status initial;
    std::vector<transition_text> transitions;
    std::vector<stage_text> stages;
};
struct model_text {
    order_rules orders;
    std::optional<machine_text> statuses;  // none: the standard machine
};

// Reads one text, and notes all that is wrong with its fields.
class model_reader {
public:
    static constexpr std::size_t transitions_max = 1000;
    static constexpr std::size_t stages_max = 100;

    model_reader(json_reader& from, std::vector<field_error>& errors)
        : from_(from), errors_(errors) {}

    void read(model_text& out);

private:
    // Calls read_member(name) with each member; it says whether it knows the name. Then adds an
    // error for each of the names that are required and were not there.
    template <class ReadMember>
    void object(std::initializer_list<std::string_view> required, const ReadMember& read_member);
    // Calls read_item() with each of the first most items.
    template <class ReadItem>
    void array(std::size_t most, const ReadItem& read_item);

    void orders(order_rules& out);
    void total(std::optional<total_rule>& out);
    void attribute(attribute_rule& out);
    bool attribute_bound(std::string_view name, attribute_rule& out);
    void default_value(std::string_view text, attribute_rule& out);
    void statuses(machine_text& out);
    void transition(transition_text& out);
    void stage(stage_text& out);

    void text(std::string& out);
    void texts(std::size_t most, std::vector<std::string>& out);
    void status(order_status& out);
    void event(std::string& out);
    void scope(std::string& out);
    void boolean(bool& out);
    void integer(std::int64_t& out, std::int64_t low = std::numeric_limits<std::int64_t>::min(),
                 std::int64_t high = std::numeric_limits<std::int64_t>::max());
    void size(std::size_t& out, std::size_t low, std::size_t high);
    template <class Enum>
    void word(Enum& out);

    bool expect(json_kind wanted);
    void add(std::string_view code, std::string detail);

    json_reader& from_;
    std::vector<field_error>& errors_;
    std::string path_ = "#";  // to the value that is being read
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
