#include "queue/rabbitmq/content.hpp"

#include "queue/rabbitmq/connection.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace orderproc::detail::rabbitmq {

namespace {

constexpr std::size_t short_text_max = 255;
// Of a header: the lengths of its name and value, and the value's type.
constexpr std::size_t header_lengths = 6;
// Of the frame of the properties: its head and end, class, body's size, flags, delivery mode, and
// the lengths of three texts and of the table of headers.
constexpr std::size_t properties_lengths = 8 + 4 + 8 + 2 + 1 + 3 + 4;
constexpr std::uint8_t persistent = 2;
constexpr std::string_view delivery_count = "x-delivery-count";  // added by quorum queues

// As text; nullopt for what is no single value.
std::optional<std::string> text_of(const amqp_field_value_t& it) {
    switch (it.kind) {
        case AMQP_FIELD_KIND_UTF8:
        case AMQP_FIELD_KIND_BYTES:
            return std::string(view(it.value.bytes));
        case AMQP_FIELD_KIND_BOOLEAN:
            return it.value.boolean ? "true" : "false";
        case AMQP_FIELD_KIND_I8:
            return std::to_string(it.value.i8);
        case AMQP_FIELD_KIND_U8:
            return std::to_string(it.value.u8);
        case AMQP_FIELD_KIND_I16:
            return std::to_string(it.value.i16);
        case AMQP_FIELD_KIND_U16:
            return std::to_string(it.value.u16);
        case AMQP_FIELD_KIND_I32:
            return std::to_string(it.value.i32);
        case AMQP_FIELD_KIND_U32:
            return std::to_string(it.value.u32);
        case AMQP_FIELD_KIND_I64:
            return std::to_string(it.value.i64);
        case AMQP_FIELD_KIND_U64:
        case AMQP_FIELD_KIND_TIMESTAMP:
            return std::to_string(it.value.u64);
        default:
            return std::nullopt;
    }
}

}  // namespace

bool fits(const message& what, const limits& at_most) noexcept {
    std::size_t headers = 0;
    for (const auto& [name, value] : what.headers) {
        if (name.size() > short_text_max) return false;
        headers += name.size() + value.size() + header_lengths;
    }
    const std::size_t frame =
        properties_lengths + headers + what.id.size() + what.key.size() + what.content_type.size();
    return headers <= at_most.headers && frame <= at_most.frame &&
           what.id.size() <= short_text_max && what.topic.size() <= short_text_max &&
           what.key.size() <= short_text_max && what.content_type.size() <= short_text_max;
}

std::size_t wire_size(const message& what) noexcept {
    constexpr std::size_t frames = 128;
    std::size_t out = frames + what.payload.size() + what.id.size() + what.topic.size() +
                      what.key.size() + what.content_type.size();
    for (const auto& [name, value] : what.headers)
        out += name.size() + value.size() + header_lengths;
    return out;
}

const amqp_basic_properties_t& outgoing::properties_of(const message& what) {
    properties_ = {};
    properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties_.delivery_mode = persistent;
    const auto set = [&](const std::string& value, amqp_flags_t flag, amqp_bytes_t& to) {
        if (value.empty()) return;
        properties_._flags |= flag;
        to = bytes(value);
    };
    set(what.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG, properties_.content_type);
    set(what.key, AMQP_BASIC_CORRELATION_ID_FLAG, properties_.correlation_id);
    set(what.id, AMQP_BASIC_MESSAGE_ID_FLAG, properties_.message_id);
    if (what.headers.empty()) return properties_;
    headers_.clear();
    for (const auto& [name, value] : what.headers) {
        amqp_table_entry_t header{};
        header.key = bytes(name);
        header.value.kind = AMQP_FIELD_KIND_UTF8;
        header.value.value.bytes = bytes(value);
        headers_.push_back(header);
    }
    properties_._flags |= AMQP_BASIC_HEADERS_FLAG;
    properties_.headers = {static_cast<int>(headers_.size()), headers_.data()};
    return properties_;
}

void incoming::begin(std::string_view topic) {
    stage_ = stage::properties;
    counted_ = false;
    message_ = {};
    message_.topic = topic;
}

bool incoming::add(const amqp_frame_t& frame) {
    if (frame.frame_type == AMQP_FRAME_HEADER && stage_ == stage::properties) {
        stage_ = stage::body;
        left_ = frame.payload.properties.body_size;
        read(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded));
        return true;
    }
    if (frame.frame_type == AMQP_FRAME_BODY && stage_ == stage::body) {
        const std::string_view piece = view(frame.payload.body_fragment);
        if (piece.size() > left_) return false;
        message_.payload.append(piece);
        left_ -= piece.size();
        return true;
    }
    return false;
}

message incoming::take() {
    stage_ = stage::none;
    return std::exchange(message_, {});
}

void incoming::read(const amqp_basic_properties_t& from) {
    if (from._flags & AMQP_BASIC_CONTENT_TYPE_FLAG) message_.content_type = view(from.content_type);
    if (from._flags & AMQP_BASIC_CORRELATION_ID_FLAG) message_.key = view(from.correlation_id);
    if (from._flags & AMQP_BASIC_MESSAGE_ID_FLAG) message_.id = view(from.message_id);
    if (!(from._flags & AMQP_BASIC_HEADERS_FLAG)) return;
    for (int i = 0; i < from.headers.num_entries; ++i) {
        const amqp_table_entry_t& it = from.headers.entries[i];
        if (view(it.key) == delivery_count) {
            counted_ = true;
        } else if (auto text = text_of(it.value)) {
            message_.headers.emplace_back(view(it.key), std::move(*text));
        }
    }
}

}  // namespace orderproc::detail::rabbitmq
