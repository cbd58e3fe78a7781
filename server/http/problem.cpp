#include "http/problem.hpp"

#include <orderproc/json_text.hpp>

#include <string>

namespace orderproc::server::http {

void write_problem(const problem_kind& kind, std::string_view detail, const request& to,
                   response& out, std::string_view members) {
    out.clear();
    out.status = kind.status;
    out.content_type = "application/problem+json";
    std::string& body = out.body;
    body.append(R"({"type":"urn:orderproc:problem:)").append(kind.code);
    body.append(R"(","title":)");
    append_json_string(kind.title, body);
    body.append(R"(,"status":)").append(std::to_string(kind.status));
    if (!detail.empty()) {
        body.append(R"(,"detail":)");
        append_json_string(detail, body);
    }
    if (!to.path.empty()) {
        body.append(R"(,"instance":)");
        append_json_string(to.path, body);
    }
    body.append(R"(,"code":")").append(kind.code);
    body.append(R"(","request_id":)");
    append_json_string(to.id, body);
    if (!members.empty()) body.append(1, ',').append(members);
    body.append(1, '}');
}

}  // namespace orderproc::server::http
