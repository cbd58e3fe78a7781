#ifndef ORDERPROC_TESTS_SERVER_DOCUMENTED_HPP
#define ORDERPROC_TESTS_SERVER_DOCUMENTED_HPP

// Holds answers against /openapi.json: whatever a test sees has to be described there.

#include "api/openapi.hpp"
#include "api/routes.hpp"
#include "api/uri.hpp"
#include "http/message.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::testing {

class documentation {
public:
    static const documentation& standard() {
        static const documentation out{order_model::standard()};
        return out;
    }
    explicit documentation(const order_model& model)
        : whole_(boost::json::parse(make_openapi(status_machine::standard(), model))) {}

    const boost::json::object& root() const { return root_; }

    const boost::json::object& resolve(const boost::json::value& it) const {
        const boost::json::value* found = &it;
        while (const auto* ref = found->as_object().if_contains("$ref")) {
            found = &whole_.at_pointer(std::string_view(ref->as_string()).substr(1));
        }
        return found->as_object();
    }

    // nullptr: there is none.
    const boost::json::object* operation(std::string_view pattern, std::string_view method) const {
        const auto* path = root_.at("paths").as_object().if_contains(pattern);
        std::string lower(method);
        for (char& c : lower) c = static_cast<char>(c | 32);
        const auto* found = path ? path->as_object().if_contains(lower) : nullptr;
        return found ? &found->as_object() : nullptr;
    }

    // The names of an operation's parameters of a kind ("query", "header", "path").
    std::vector<std::string> parameters(std::string_view pattern, std::string_view method,
                                        std::string_view kind) const {
        std::vector<std::string> out;
        for (const auto& it : operation(pattern, method)->at("parameters").as_array()) {
            const auto& one = resolve(it);
            if (one.at("in").as_string() == kind) out.emplace_back(one.at("name").as_string());
        }
        return out;
    }

    // What of the answer is not described; empty: nothing.
    std::string missing(const http::request& in, const http::response& out) const {
        const route* some = route_at(in.path);
        if (!some) return {};  // no path of the API
        const route_match found = match(in.method, in.path);
        const route& it = found.found ? *found.found : *some;  // 405 is the same of all methods
        const std::string_view pattern = it.pattern;
        const std::string_view method = in.method == "OPTIONS" ? in.method : it.method;
        const std::string where = std::string(method) + " " + std::string(pattern) + " " +
                                  std::to_string(out.status) + ": ";
        const auto* known = operation(pattern, method);
        if (!known) return where + "no operation";
        const auto& responses = known->at("responses").as_object();
        const auto* entry = responses.if_contains(std::to_string(out.status));
        const bool by_any = is_refusal_of_all(out);
        if (!entry && !by_any) return where + "no response";
        if (!entry || (by_any && !names_problem(*entry, out))) entry = &responses.at("default");
        const auto& response = resolve(*entry);
        for (const std::string& name : names_of(out.fields)) {
            if (!has(response, "headers", name)) return where + "no header " + name;
        }
        if (out.status < 300 && found.found) {
            const auto given = parse_query(in.query).value();
            for (const auto& one : given) {
                const auto all = parameters(pattern, method, "query");
                const bool known_name = std::find(all.begin(), all.end(), one.name) != all.end();
                const bool ignores = is_operation(in.path) || !in.path.starts_with("/orders");
                if (!known_name && !ignores) return where + "no parameter " + one.name;
            }
        }
        if (out.status == 204 || out.status == 304) return {};
        return missing_in_body(where, response, out);
    }

private:
    // Any of the routes that have the path; nullptr: none does.
    static const route* route_at(std::string_view path) {
        for (const route& it : routes()) {
            if (const route* found = match(it.method, path).found) return found;
        }
        return nullptr;
    }

    static std::string code_of(const http::response& out) {
        return std::string(boost::json::parse(out.body).at("code").as_string());
    }
    bool names_problem(const boost::json::value& response, const http::response& out) const {
        const auto* content = resolve(response).if_contains("content");
        const auto* problem =
            content ? content->as_object().if_contains("application/problem+json") : nullptr;
        return problem && problem->at("examples").as_object().contains(code_of(out));
    }
    // Is it what the server may say of any path, before a request gets to it?
    bool is_refusal_of_all(const http::response& out) const {
        return out.content_type == "application/problem+json" &&
               names_problem(root_.at("components").at("responses").at("Problem"), out);
    }

    static std::vector<std::string> names_of(std::string_view fields) {
        std::vector<std::string> out;
        while (!fields.empty()) {
            out.emplace_back(fields.substr(0, fields.find(':')));
            fields.remove_prefix(fields.find("\r\n") + 2);
        }
        return out;
    }

    static bool has(const boost::json::object& of, std::string_view member, std::string_view name) {
        const auto* all = of.if_contains(member);
        return all && all->as_object().contains(name);
    }

    std::string missing_in_body(const std::string& where, const boost::json::object& response,
                                const http::response& out) const {
        const std::string type(out.content_type.substr(0, out.content_type.find(';')));
        if (!has(response, "content", type)) return where + "no content " + type;
        if (type != "application/json" && type != "application/problem+json") return {};
        const auto& content = response.at("content").at(type);
        boost::json::parse_options how;
        how.max_depth = 64;  // an order may be 32 deep, what shows it more
        const auto body = boost::json::parse(out.body, {}, how);
        if (type == "application/problem+json") {
            const std::string code = code_of(out);
            if (!content.at("examples").as_object().contains(code))
                return where + "no problem " + code;
        }
        const std::string member = undescribed(content.at("schema"), body);
        return member.empty() ? member : where + member;
    }

    // A member that the schema does not have, or a word that is none of its words.
    std::string undescribed(const boost::json::value& schema, const boost::json::value& it) const {
        const auto& known = resolve(schema);
        if (const auto* words = known.if_contains("enum")) {
            const auto& all = words->as_array();
            if (std::find(all.begin(), all.end(), it) == all.end())
                return "no word " + serialize(it);
        }
        if (const auto* array = it.if_array(); array && known.contains("items")) {
            for (const auto& one : *array) {
                if (std::string bad = undescribed(known.at("items"), one); !bad.empty()) return bad;
            }
        }
        const auto* object = it.if_object();
        const auto* properties = known.if_contains("properties");
        if (!object || !properties) return {};
        for (const auto& member : *object) {
            const auto* found = properties->as_object().if_contains(member.key());
            if (!found) return "no member " + std::string(member.key());
            if (std::string bad = undescribed(*found, member.value()); !bad.empty()) return bad;
        }
        if (const auto* required = known.if_contains("required")) {
            for (const auto& name : required->as_array()) {
                if (!object->contains(name.as_string())) return "not there: " + serialize(name);
            }
        }
        return {};
    }

    const boost::json::value whole_;
    const boost::json::object& root_ = whole_.as_object();
};

}  // namespace orderproc::server::testing

#endif
