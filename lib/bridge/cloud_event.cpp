#include "uri_reference.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/json.hpp>

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

void append_text_or_null(std::string_view text, std::string& out) {
    if (text.empty()) {
        out += "null";
    } else {
        append_json_string(text, out);
    }
}

}  // namespace

bool is_event_source(std::string_view text) noexcept {
    return !text.empty() && text.size() <= event_source_size_max && detail::is_uri_reference(text);
}

void append_cloud_event(const journal_entry& entry, std::string& out, std::string_view source,
                        const order_model& model) {
    const std::string_view id = entry.after.id.view();
    out += R"({"specversion":"1.0","id":")";
    out += to_string(entry.position);
    out += R"(","source":")";
    out += source;  // a URI-reference has nothing to escape
    out += R"(","type":"orderproc.order.)";
    out += entry.event;
    out += R"(.v1","subject":)";
    append_json_string(id, out);
    out += R"(,"time":")";
    out += to_string(entry.at);
    if (!entry.traceparent.empty()) {
        out += R"(","traceparent":)";
        append_json_string(entry.traceparent, out);
    } else {
        out += '"';
    }
    out += R"(,"datacontenttype":"application/json","data":{"order_id":)";
    append_json_string(id, out);
    out += R"(,"event":")";
    out += entry.event;
    out += R"(","from":)";
    append_text_or_null(entry.from ? entry.from->view() : std::string_view(), out);
    out += R"(,"to":)";
    append_text_or_null(entry.event == "delete" ? std::string_view() : entry.after.status.view(),
                        out);
    out += R"(,"version":)";
    out += std::to_string(static_cast<std::uint64_t>(entry.version));
    out += R"(,"reason":)";
    append_text_or_null(entry.reason, out);
    out += R"(,"order":)";
    append_json(entry.after, out, model);
    out += "}}";
}

namespace {

void write_as(const journal_entry& entry, std::string_view source, const order_model& model,
              message& to) {
    to.id = to_string(entry.position);
    to.content_type = cloud_event_media_type;
    to.payload.clear();
    append_cloud_event(entry, to.payload, source, model);
}

}  // namespace

void write_cloud_event(const journal_entry& entry, message& to) {
    write_as(entry, default_event_source, order_model::standard(), to);
}

result<std::function<void(const journal_entry&, message&)>> cloud_events_of(
    std::string source, const order_model& model) {
    if (!is_event_source(source)) {
        return failure{errc::invalid_argument, "source of events: a URI-reference of at most " +
                                                   std::to_string(event_source_size_max) +
                                                   " bytes, such as /shop"};
    }
    return [source = std::move(source), &model](const journal_entry& entry, message& to) {
        write_as(entry, source, model, to);
    };
}

}  // namespace v1
}  // namespace orderproc
