#include "webhooks/event_body.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/json_text.hpp>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

void append_status(const order_status* it, std::string& out) {
    if (it) {
        append_json_string(it->view(), out);
    } else {
        out += "null";
    }
}

// As append_cloud_event(), without the order, the reason and the trace.
std::string make_reference(const journal_entry& entry, std::string_view source) {
    std::string out = R"({"specversion":"1.0","id":")";
    out += to_string(entry.position);
    out.append(R"(","source":")").append(source);
    out.append(R"(","type":"orderproc.order.)").append(entry.event);
    out += R"(.v1","subject":)";
    append_json_string(entry.after.id.view(), out);
    out.append(R"(,"time":")").append(to_string(entry.at));
    out += R"(","datacontenttype":"application/json","data":{"order_id":)";
    append_json_string(entry.after.id.view(), out);
    out.append(R"(,"event":")").append(entry.event).append(R"(","from":)");
    append_status(entry.from ? &*entry.from : nullptr, out);
    out += R"(,"to":)";
    append_status(entry.event == "delete" ? nullptr : &entry.after.status, out);
    out.append(R"(,"version":)").append(std::to_string(static_cast<std::uint64_t>(entry.version)));
    return out.append("}}");
}

}  // namespace

std::string make_event_body(const journal_entry& entry, const webhook_endpoint& to,
                            std::string_view source, const order_model& model) {
    if (to.content == webhook_content::reference) return make_reference(entry, source);
    std::string out;
    if (to.owner.everybody()) {
        append_cloud_event(entry, out, source, model);
        return out;
    }
    journal_entry shown = entry;
    shown.reason.clear();
    shown.after.last_error.clear();
    append_cloud_event(shown, out, source, model);
    return out;
}

std::string make_test_body(std::string_view event, timestamp at, const webhook_endpoint& to,
                           std::string_view source) {
    std::string out = R"({"specversion":"1.0","id":)";
    append_json_string(event, out);
    out.append(R"(,"source":")").append(source);
    out.append(R"(","type":"orderproc.webhook.test.v1","time":")").append(to_string(at));
    out += R"(","datacontenttype":"application/json","data":{"endpoint":)";
    append_json_string(to.id, out);
    return out.append("}}");
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
