#include "core/json_reader.hpp"
#include "core/order_rules.hpp"
#include "json_fields.hpp"
#include "json_integers.hpp"

#include <orderproc/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// What somebody says who was given no reason.
constexpr std::string_view no_reason = "no reason was given";

class answer_reader {
public:
    answer_reader(detail::json_reader& from, parsed_answer& out) : from_(from), out_(out) {}

    void read() {
        std::size_t answers = 0;
        object([&](std::string_view name) {
            const bool known = read_answer(name);
            answers += known ? 1 : 0;
            return known;
        });
        if (answers == 1 || from_.failed()) return;
        add("#", answers == 0 ? "required" : "too_many_items",
            "must have one of advance, retry, fail and extend");
    }

private:
    bool read_answer(std::string_view name) {
        path_ = "#/" + std::string(name);
        if (name == "advance") {
            read_advance();
        } else if (name == "retry") {
            read_retry();
        } else if (name == "fail") {
            read_fail();
        } else if (name == "extend") {
            read_extend();
        } else {
            path_ = "#";
            return false;
        }
        path_ = "#";
        return true;
    }

    void read_advance() {
        advance said;
        object([&](std::string_view name) {
            if (name != "event") return false;
            if (auto found = text(name)) said.event = std::move(*found);
            return true;
        });
        out_.value = std::move(said);
    }

    void read_retry() {
        retry_later said{std::string(no_reason), {}};
        object([&](std::string_view name) {
            if (name == "reason") {
                if (auto found = reason(name)) said.reason = std::move(*found);
            } else if (name == "delay_seconds") {
                if (const auto found = seconds(name, 0)) said.delay = *found;
            } else {
                return false;
            }
            return true;
        });
        out_.value = std::move(said);
    }

    void read_fail() {
        give_up said;
        object([&](std::string_view name) {
            if (name != "reason") return false;
            if (auto found = reason(name)) said.reason = std::move(*found);
            return true;
        });
        if (said.reason.empty()) add(path_ + "/reason", "required", "is missing");
        out_.value = std::move(said);
    }

    void read_extend() {
        std::optional<std::chrono::seconds> time;
        bool seen = false;
        object([&](std::string_view name) {
            if (name != "timeout_seconds") return false;
            seen = true;
            time = seconds(name, 1);
            return true;
        });
        if (!seen) add(path_ + "/timeout_seconds", "required", "is missing");
        out_.value = extend_attempt{time.value_or(std::chrono::seconds(1))};
    }

    // Calls member(name) with each member; it says whether it knows the name.
    template <class Member>
    void object(const Member& member) {
        if (from_.next() != detail::json_kind::object) {
            from_.skip();
            return add(path_, "wrong_type", "must be an object");
        }
        from_.open();
        for (std::string_view name; from_.next_name(name);) {
            const std::string kept(name);  // until the next name or string
            if (member(kept)) continue;
            from_.skip();
            add(path_ + detail::pointer_to(kept).substr(1), "unknown_field",
                "is not a field of an answer");
        }
    }

    // Nothing: it is null, or wrong.
    std::optional<std::string> text(std::string_view name) {
        const auto kind = from_.next();
        if (kind == detail::json_kind::string) return std::string(from_.string());
        from_.skip();
        if (kind != detail::json_kind::null) {
            add(path_ + "/" + std::string(name), "wrong_type", "must be a string");
        }
        return std::nullopt;
    }

    std::optional<std::string> reason(std::string_view name) {
        auto out = text(name);
        const std::string at = path_ + "/" + std::string(name);
        if (out && out->size() > raise_event::reason_size_max) {
            add(at, "too_large", "must be at most 1024 bytes");
        }
        if (out && out->find('\0') != std::string::npos) {
            add(at, "unsupported_character",
                std::string(detail::rule_of(detail::json_breach::character)));
        }
        return out;
    }

    std::optional<std::chrono::seconds> seconds(std::string_view name, std::int64_t least) {
        const auto kind = from_.next();
        const std::string at = path_ + "/" + std::string(name);
        if (kind != detail::json_kind::number) {
            from_.skip();
            if (kind != detail::json_kind::null || least > 0) {
                add(at, "wrong_type", "must be a number of seconds");
            }
            return std::nullopt;
        }
        std::int64_t out = 0;
        const auto verdict = detail::parse_integer(from_.number(), out);
        if (verdict == detail::integer_verdict::fractional) {
            add(at, "not_an_integer", "must be an integer");
        } else if (verdict != detail::integer_verdict::ok || out < least ||
                   out > parsed_answer::seconds_max) {
            add(at, "out_of_range",
                "must be from " + std::to_string(least) + " to " +
                    std::to_string(parsed_answer::seconds_max));
        } else {
            return std::chrono::seconds(out);
        }
        return std::nullopt;
    }

    void add(std::string pointer, const char* code, std::string detail) {
        if (out_.errors.size() >= parsed_order::errors_max) return;
        out_.errors.push_back({std::move(pointer), code, std::move(detail)});
    }

    detail::json_reader& from_;
    parsed_answer& out_;
    std::string path_ = "#";
};

}  // namespace

parsed_answer parse_answer(std::string_view text) {
    parsed_answer out;
    detail::json_reader reader(text);
    answer_reader(reader, out).read();
    reader.finish();
    out.syntax = detail::syntax_of(reader);
    if (reader.failed()) out.errors.clear();
    return out;
}

}  // namespace v1
}  // namespace orderproc
