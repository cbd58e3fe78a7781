// The documents against the code's own tables, and how they are served.

#include "api/list_query.hpp"
#include "api/problems.hpp"
#include "api_fixture.hpp"
#include "docs/pages.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace data = boost::unit_test::data;
namespace json = boost::json;

namespace {

using names = std::set<std::string>;

const documentation& doc() {
    return documentation::standard();
}

std::string text_of(const std::string& path) {
    std::ifstream in(ORDERPROC_SOURCE_DIR "/" + path);
    BOOST_REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), {}};
}

names words_of(const json::value& list) {
    names out;
    for (const auto& it : list.as_array()) out.emplace(it.as_string());
    return out;
}

const json::value& schema(std::string_view name) {
    return doc().root().at("components").at("schemas").at(name);
}

std::string joined(const names& all) {
    std::string out;
    for (const std::string& it : all) out.append(it).append(1, ' ');
    return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(openapi, api_fixture)

// Where the event decides, the events of the machine say which scopes there are.
BOOST_AUTO_TEST_CASE(events_are_documented_with_their_scopes) {
    const auto scopes_of = [](std::string_view path) {
        std::string out;
        for (const auto& it : doc().operation(path, "POST")->at("security").as_array()) {
            const auto* key = it.as_object().if_contains("key");
            if (key) out.append(key->as_array().front().as_string()).append(1, ' ');
        }
        return out;
    };
    BOOST_TEST(scopes_of("/orders/{order_id}/cancel") == "orders:write ");
    BOOST_TEST(scopes_of("/orders/{order_id}/retry") == "operate ");
    BOOST_TEST(scopes_of("/orders/{order_id}/transitions") == "orders:write operate ");
    BOOST_TEST(doc()
                   .operation("/orders/{order_id}/transitions", "POST")
                   ->at("description")
                   .as_string()
                   .ends_with("`cancel` needs `orders:write`, `retry` needs `operate`."));
}

BOOST_AUTO_TEST_CASE(every_route_is_documented_under_its_name) {
    for (const route& it : routes()) {
        const json::object* found = doc().operation(it.pattern, it.method);
        BOOST_TEST_CONTEXT(it.method << ' ' << it.pattern) {
            BOOST_REQUIRE(found);
            BOOST_TEST(found->at("operationId").as_string() == it.name);
            BOOST_TEST(
                doc().parameters(it.pattern, it.method, "path").size() ==
                static_cast<std::size_t>(std::count(it.pattern.begin(), it.pattern.end(), '{')));
            // What commands are made of. Changes of webhook endpoints and of the work are none.
            const auth::scope_set& needs = it.needs.any_of;
            if (it.method == "GET" || needs.has(auth::scope::webhooks)) continue;
            if (needs == auth::scope_set{auth::scope::operate}) continue;
            const auto fields = doc().parameters(it.pattern, it.method, "header");
            for (const char* name : {"Idempotency-Key", "traceparent"}) {
                BOOST_TEST((std::find(fields.begin(), fields.end(), name) != fields.end()), name);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_documented_that_is_no_route) {
    for (const auto& path : doc().root().at("paths").as_object()) {
        for (const auto& member : path.value().as_object()) {
            if (member.key() == "options") continue;
            std::string method(member.key());
            for (char& c : method) c = static_cast<char>(c & ~32);
            const auto all = routes();
            BOOST_TEST(std::any_of(all.begin(), all.end(),
                                   [&](const route& it) {
                                       return it.method == method &&
                                              it.pattern == std::string_view(path.key());
                                   }),
                       method << ' ' << path.key());
        }
    }
}

BOOST_AUTO_TEST_CASE(every_path_says_what_its_methods_are) {
    for (const auto& path : doc().root().at("paths").as_object()) {
        BOOST_TEST_CONTEXT(path.key()) {
            BOOST_REQUIRE(doc().operation(path.key(), "OPTIONS"));
            const std::string target =
                std::regex_replace(std::string(path.key()), std::regex("[{][a-z_]+[}]"), "A-1");
            const answer got = ask("OPTIONS", target);  // the fixture holds it against its response
            BOOST_TEST(got.status == 204);
            BOOST_TEST(got.find("Allow").has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_parameters_of_pages) {
    for (const bool by_status : {false, true}) {
        const auto told =
            doc().parameters(by_status ? "/orders/status/{status}" : "/orders", "GET", "query");
        list_resource of{status_machine::standard()};
        if (by_status) of.status = order_status("PENDING");
        const auto known = list_parameters(of);
        BOOST_TEST(joined({told.begin(), told.end()}) == joined({known.begin(), known.end()}));
    }
}

BOOST_AUTO_TEST_CASE(statuses_events_and_limits_are_the_machines) {
    const status_machine& machine = status_machine::standard();
    names statuses;
    for (const order_status& it : machine.statuses()) statuses.emplace(it.view());
    BOOST_TEST(joined(words_of(schema("Status").at("enum"))) == joined(statuses));
    BOOST_TEST(joined(words_of(schema("NewTransition").at("properties").at("event").at("enum"))) ==
               "cancel retry ");
    BOOST_TEST(schema("ItemIds").at("maxItems").to_number<std::size_t>() == order::items_max);
    BOOST_TEST(doc().root().at("info").at("version").as_string() == ORDERPROC_VERSION);
}

// Those who bring statuses of their own get a document that has them.
BOOST_AUTO_TEST_CASE(another_machine) {
    const transition_rule rules[] = {{"OPEN", "ship", "SHIPPED", true}};
    const auto machine = status_machine::build("OPEN", rules, {}).value();
    const auto made = json::parse(make_openapi(machine));
    BOOST_TEST(joined(words_of(made.at_pointer("/components/schemas/Status/enum"))) ==
               "OPEN SHIPPED ");
    BOOST_TEST(joined(words_of(made.at_pointer(
                   "/components/schemas/NewTransition/properties/event/enum"))) == "ship ");
    BOOST_TEST(made.at_pointer("/components/schemas/Metrics/properties/orders_by_status/properties")
                   .as_object()
                   .contains("shipped"));
}

// What the operator set, not what there is without.
BOOST_AUTO_TEST_CASE(the_limits_are_those_of_the_server) {
    const auto text_with = [](const http::request_limits& limits) {
        const auto made =
            json::parse(make_openapi(status_machine::standard(), order_model::standard(), limits));
        return std::string(made.at("info").at("description").as_string());
    };
    BOOST_TEST(text_with({}).ends_with(
        "8 KiB of header in 64 fields, 2 KiB of target and 256 KiB of body (a batch 8 MiB)."));
    http::request_limits other;
    other.header_size_max = 1000;
    other.fields_max = 10;
    other.target_size_max = 64;
    other.body_size_max = 0;
    other.large_body_size_max = 1 << 20;
    BOOST_TEST(text_with(other).ends_with(
        "1000 bytes of header in 10 fields, 64 bytes of target and 0 bytes of body "
        "(a batch 1 MiB)."));
}

// A problem that a header defines is in the table, and the table is in the documents.
BOOST_AUTO_TEST_CASE(problems_are_one_closed_table) {
    names table;
    names rows;
    for (const http::problem_kind* it : all_problems()) {
        BOOST_TEST(table.emplace(it->code).second, it->code);
        rows.emplace(std::to_string(it->status) + " " + std::string(it->code));
    }
    BOOST_TEST(joined(words_of(schema("Problem").at("properties").at("code").at("enum"))) ==
               joined(table));

    names defined;
    const std::regex definition(R"re(problem_kind \w+\{\s*\d+,\s*"([a-z_]+)")re");
    for (const char* path :
         {"server/http/problem.hpp", "server/api/problems.hpp", "server/auth/problems.hpp"}) {
        const std::string text = text_of(path);
        for (std::sregex_iterator it(text.begin(), text.end(), definition), end; it != end; ++it) {
            defined.insert((*it)[1]);
        }
    }
    BOOST_TEST(joined(defined) == joined(table));

    names described;  // | 409 | `order_exists` | read the order, or use another id |
    std::istringstream lines(text_of("docs/http.md"));
    const std::regex row(R"re(\| (\d{3}) \| `([a-z_]+)` \| [^|]+ \|)re");
    std::smatch found;
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_match(line, found, row)) described.insert(found.str(1) + " " + found.str(2));
    }
    BOOST_TEST(joined(described) == joined(rows));
}

// What answers about orders say, and the codes of json.hpp's field errors.
BOOST_AUTO_TEST_CASE(codes_of_field_errors) {
    names described = words_of(schema("FieldError").at("properties").at("code").at("enum"));
    const std::regex code(R"re("([a-z_]+)",\s*"(is|must) )re");
    const std::regex plain(R"re(add\w*\([^;]*?"([a-z_]+)", (detail|"|\s))re");
    names used;
    for (const char* path :
         {"lib/bridge/json_fields.cpp", "lib/bridge/json_edit.cpp",
          "lib/bridge/json_transition.cpp", "server/api/items.cpp", "server/api/events.cpp"}) {
        const std::string text = text_of(path);
        for (const auto* pattern : {&code, &plain}) {
            for (std::sregex_iterator it(text.begin(), text.end(), *pattern), end; it != end;
                 ++it) {
                used.insert((*it)[1]);
            }
        }
    }
    for (const std::string& it : used) BOOST_TEST(described.contains(it), it);
    BOOST_TEST(used.size() > 8U);
}

BOOST_AUTO_TEST_CASE(large_ids_are_warned_of) {
    const auto& id = schema("Id");
    BOOST_TEST(id.at("format").as_string() == "int64");
    BOOST_TEST(std::string_view(id.at("description").as_string()).find("2^53") !=
               std::string_view::npos);
}

BOOST_AUTO_TEST_CASE(the_document_is_served_with_a_tag) {
    const answer got = get("/openapi.json");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Content-Type").value_or("") == "application/json");
    BOOST_TEST((json::parse(got.body).as_object() == doc().root()));
    BOOST_TEST(!got.says("x-problem"));
    BOOST_TEST(!got.says("${"));
    const std::string tag = got.find("ETag").value_or("");
    const answer again = get("/openapi.json", {{"If-None-Match", tag}});
    BOOST_TEST(again.status == 304);
    BOOST_TEST(again.body == "");
    BOOST_TEST(get("/openapi.json", {{"If-None-Match", "\"other\""}}).status == 200);
}

BOOST_AUTO_TEST_CASE(pages_are_served_packed_or_not) {
    BOOST_TEST(pages().size() >= 4U);
    for (const page& it : pages()) {
        if (it.path.empty()) continue;
        BOOST_TEST_CONTEXT(it.path) {
            const answer packed = get(it.path, {{"Accept-Encoding", "br, gzip"}});
            BOOST_TEST(packed.status == 200);
            BOOST_TEST(packed.find("Content-Encoding").value_or("") == "gzip");
            BOOST_TEST(packed.find("Content-Type").value_or("") == it.content_type);
            BOOST_TEST(packed.find("Vary").value_or("") == "Accept-Encoding");
            for (const char* accepts : {"", "identity", "gzip;q=0", "br"}) {
                const answer plain = get(it.path, {{"Accept-Encoding", accepts}});
                BOOST_TEST(!plain.find("Content-Encoding"));
                BOOST_TEST((plain.body == unpack(packed.body)));
                BOOST_TEST((plain.find("ETag") == packed.find("ETag")));
            }
            const std::string tag = packed.find("ETag").value_or("");
            const answer again = get(it.path, {{"If-None-Match", tag}});
            BOOST_TEST(again.status == 304);
            BOOST_TEST(again.body == "");
        }
    }
    BOOST_TEST(get("/docs/nothing.js").status == 404);
    BOOST_TEST(get("/docs/").status == 404);
    BOOST_TEST(get("/dashboard/nothing.js").status == 404);
}

// No script or style but from files of its own, none of them from elsewhere.
BOOST_DATA_TEST_CASE(the_pages_trust_nobody, data::make({"/docs", "/"}), path) {
    const answer got = get(path);
    BOOST_TEST(got.status == 200);
    const std::string policy = got.find("Content-Security-Policy").value_or("");
    BOOST_TEST(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    BOOST_TEST(policy.find("unsafe") == policy.npos);
    BOOST_TEST((policy.find("require-trusted-types-for 'script'") != policy.npos) ==
               (std::string_view(path) == "/"));
    BOOST_TEST(!got.says("://"));
    BOOST_TEST(!got.says("<style"));
    BOOST_TEST(!got.says("style="));
    const std::regex linked(R"re((?:src|href)="([^"]+)")re");
    int count = 0;
    for (std::sregex_iterator it(got.body.begin(), got.body.end(), linked), end; it != end; ++it) {
        BOOST_TEST(!(*it)[1].str().starts_with("/"));  // relative: behind a prefix, too
        BOOST_TEST(get("/" + (*it)[1].str()).status == 200, (*it)[1].str());
        ++count;
    }
    BOOST_TEST(count >= 4);
}

BOOST_AUTO_TEST_CASE(without_the_operators_page_the_root_leads_to_the_documents) {
    api_parts parts;
    parts.dashboard = false;
    api without(orders, reads, std::move(parts));
    api_service shown(without);
    served = &shown;
    const answer got = get("/");
    BOOST_TEST(got.status == 302);
    BOOST_TEST(got.find("Location").value_or("") == "docs");
    for (const char* path : {"/dashboard/app.js", "/dashboard/style.css"}) {
        BOOST_TEST(get(path).status == 404, path);
    }
    BOOST_TEST(get("/docs").status == 200);
}

BOOST_AUTO_TEST_CASE(the_operators_address_has_no_documents) {
    api_parts parts;
    parts.operations_only = true;
    api operations(orders, reads, std::move(parts));
    api_service shown(operations);
    served = &shown;
    documented = false;
    for (const char* path : {"/", "/docs", "/docs/style.css", "/openapi.json"}) {
        BOOST_TEST(get(path).status == 404, path);
    }
    BOOST_TEST(get("/healthz").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
