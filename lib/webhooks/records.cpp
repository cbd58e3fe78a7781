#include "webhooks/records.hpp"

#include "core/flat_json.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace orderproc {
inline namespace v1 {

std::string_view name_of(webhook_content value) noexcept {
    return value == webhook_content::reference ? "reference" : "full";
}

std::string_view name_of(webhook_state value) noexcept {
    switch (value) {
        case webhook_state::active:
            return "active";
        case webhook_state::paused:
            return "paused";
        case webhook_state::removed:
            return "removed";
    }
    return "";
}

namespace {

bool is_printable_url(std::string_view text) noexcept {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

}  // namespace

result<void> validate(const webhook_endpoint& it) {
    const auto wrong = [](std::string why) {
        return failure{errc::invalid_argument, std::move(why)};
    };
    if (!is_printable_url(it.url) || it.url.size() > webhook_endpoint::url_size_max) {
        return wrong("url: 1 to 2048 bytes without spaces and control characters");
    }
    if (it.description.size() > webhook_endpoint::description_size_max) {
        return wrong("description: at most 256 bytes");
    }
    if (it.events.size() > webhook_endpoint::filters_max) return wrong("events: at most 100");
    if (it.statuses.size() > webhook_endpoint::filters_max) return wrong("statuses: at most 100");
    for (const std::string& event : it.events) {
        if (event.empty() || event.size() > record_key_size_max) {
            return wrong("events: each has 1 to 128 bytes");
        }
    }
    return {};
}

namespace detail {

namespace {

void write_scope(std::string_view prefix, const order_scope& it, flat_writer& to) {
    to.optional_text(std::string(prefix) + "user", it.user);
    to.optional_text(std::string(prefix) + "tenant", it.tenant);
}

order_scope read_scope(std::string_view prefix, const flat_reader& from) {
    return {from.optional_text(std::string(prefix) + "user"),
            from.optional_text(std::string(prefix) + "tenant")};
}

void write_position(std::string_view name, const feed_position& it, flat_writer& to) {
    if (it.epoch != 0 || it.offset != 0) to.text(name, to_string(it));
}

feed_position read_position(std::string_view name, const flat_reader& from) {
    return parse_feed_position(from.text(name)).value_or(feed_position{});
}

// "text" or "text until time".
constexpr std::string_view until_word = " until ";

std::vector<std::string> secret_texts(const webhook_endpoint& it) {
    std::vector<std::string> out;
    for (const auto& one : it.secrets) {
        out.push_back(one.text);
        if (one.ends_at) out.back().append(until_word).append(to_string(*one.ends_at));
    }
    return out;
}

webhook_endpoint::sealed_secret secret_of(std::string text) {
    const std::size_t at = text.find(until_word);
    webhook_endpoint::sealed_secret out;
    if (at != text.npos) {
        const auto end = parse_timestamp(std::string_view(text).substr(at + until_word.size()));
        out.ends_at = end ? *end : timestamp::min();
        text.resize(at);
    }
    out.text = std::move(text);
    return out;
}

}  // namespace

std::string encode(const webhook_endpoint& it) {
    flat_writer out;
    out.text("url", it.url);
    out.text("description", it.description);
    out.texts("events", it.events);
    std::vector<std::string> statuses;
    for (const order_status& one : it.statuses) statuses.emplace_back(one.view());
    out.texts("statuses", statuses);
    write_scope("", it.scope, out);
    out.text("content", name_of(it.content));
    out.text("state", name_of(it.state));
    out.text("paused_why", it.paused_why);
    write_scope("owner_", it.owner, out);
    write_position("begins", it.begins, out);
    out.time("resumed_at", it.resumed_at);
    out.texts("secrets", secret_texts(it));
    out.time("created_at", it.created_at);
    out.text("created_by", it.created_by);
    return std::move(out).finish();
}

result<webhook_endpoint> decode_endpoint(const record& from) {
    const failure bad{errc::corrupt, "the record of webhook endpoint " + from.key};
    const auto read = flat_reader::parse(from.value);
    if (!read) return bad;
    webhook_endpoint out;
    out.id = from.key;
    out.version = from.version;
    out.url = read->text("url");
    out.description = read->text("description");
    out.events = read->texts("events");
    for (const std::string& one : read->texts("statuses")) {
        const auto status = order_status::parse(one);
        if (!status) return bad;
        out.statuses.push_back(*status);
    }
    out.scope = read_scope("", *read);
    out.owner = read_scope("owner_", *read);
    if (read->text("content") == name_of(webhook_content::reference)) {
        out.content = webhook_content::reference;
    }
    const std::string state = read->text("state");
    for (const auto one : {webhook_state::paused, webhook_state::removed}) {
        if (state == name_of(one)) out.state = one;
    }
    if (state != name_of(out.state)) return bad;
    out.paused_why = read->text("paused_why");
    out.begins = read_position("begins", *read);
    out.resumed_at = read->time("resumed_at");
    for (std::string& one : read->texts("secrets")) {
        out.secrets.push_back(secret_of(std::move(one)));
    }
    out.created_at = read->time("created_at").value_or(timestamp{});
    out.created_by = read->text("created_by");
    if (!validate(out)) return bad;
    return out;
}

std::string parked_key(std::string_view endpoint, std::int64_t number) {
    return prefix_of(endpoint) + std::to_string(number);
}

std::optional<std::int64_t> number_in_key(std::string_view key, std::string_view endpoint) {
    const std::string prefix = prefix_of(endpoint);
    if (!key.starts_with(prefix)) return std::nullopt;
    const std::string_view digits = key.substr(prefix.size());
    std::int64_t out = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return out;
}

std::string encode(const parked_record& it) {
    flat_writer out;
    out.text("order", it.order);
    out.number("next", static_cast<std::uint64_t>(it.next));
    out.number("attempts", it.attempts);
    out.time("failed_since", it.failed_since);
    out.time("failed_at", it.failed_at);
    out.time("due_at", it.due_at);
    return std::move(out).finish();
}

std::optional<parked_record> decode_parked(std::string_view value) {
    const auto read = flat_reader::parse(value);
    if (!read) return std::nullopt;
    parked_record out;
    out.order = read->text("order");
    out.next = order_version{read->number("next")};
    out.attempts = static_cast<std::uint32_t>(read->number("attempts"));
    const auto since = read->time("failed_since");
    const auto at = read->time("failed_at");
    const auto due = read->time("due_at");
    if (out.order.empty() || !since || !at || !due) return std::nullopt;
    out.failed_since = *since;
    out.failed_at = *at;
    out.due_at = *due;
    return out;
}

std::string attempt_id(timestamp at, std::string_view event) {
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "%014lld-",
                  static_cast<long long>(at.time_since_epoch().count()));
    return std::string(digits.data()).append(event.substr(0, event.find('.')));
}

std::string encode(const webhook_attempt& it) {
    flat_writer out;
    out.text("id", it.id);
    out.text("event", it.event);
    out.text("order", it.order);
    write_position("position", it.at, out);
    out.number("version", static_cast<std::uint64_t>(it.version));
    out.time("began_at", it.began_at);
    out.number("took_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(0, it.took.count())));
    out.number("status", it.status);
    out.text("error", it.error);
    out.text("answer", it.answer);
    out.number("number", it.number);
    out.time("next_at", it.next_at);
    return std::move(out).finish();
}

std::optional<webhook_attempt> decode_attempt(std::string_view value) {
    const auto read = flat_reader::parse(value);
    if (!read) return std::nullopt;
    webhook_attempt out;
    out.id = read->text("id");
    out.event = read->text("event");
    out.order = read->text("order");
    out.at = read_position("position", *read);
    out.version = order_version{read->number("version")};
    const auto began = read->time("began_at");
    if (out.id.empty() || !began) return std::nullopt;
    out.began_at = *began;
    out.took = std::chrono::milliseconds(read->number("took_ms"));
    out.status = static_cast<unsigned>(read->number("status"));
    out.error = read->text("error");
    out.answer = read->text("answer");
    out.number = static_cast<std::uint32_t>(read->number("number"));
    out.next_at = read->time("next_at");
    return out;
}

std::string encode_lines(const std::vector<webhook_attempt>& all) {
    std::string out;
    for (const webhook_attempt& it : all) out.append(encode(it)).append(1, '\n');
    return out;
}

std::vector<webhook_attempt> decode_lines(std::string_view value) {
    std::vector<webhook_attempt> out;
    while (!value.empty()) {
        const std::size_t end = std::min(value.find('\n'), value.size());
        if (auto one = decode_attempt(value.substr(0, end))) out.push_back(std::move(*one));
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return out;
}

std::string encode(const task_record& it) {
    flat_writer out;
    out.text("kind", it.test ? "test" : "replay");
    write_position("after", it.after, out);
    out.number("until", it.until);
    out.time("at", it.at);
    return std::move(out).finish();
}

std::optional<task_record> decode_task(std::string_view value) {
    const auto read = flat_reader::parse(value);
    if (!read) return std::nullopt;
    task_record out;
    out.test = read->text("kind") == "test";
    out.after = read_position("after", *read);
    out.until = read->number("until");
    out.at = read->time("at").value_or(timestamp{});
    return out;
}

change_record create_of(std::string_view collection, std::string key, std::string value) {
    change_record out;
    out.action = record_action::create;
    out.collection = collection;
    out.key = std::move(key);
    out.value = std::move(value);
    return out;
}

change_record replace_of(std::string_view collection, std::string key, std::uint64_t version,
                         std::string value) {
    change_record out = create_of(collection, std::move(key), std::move(value));
    out.action = record_action::replace;
    out.version = version;
    return out;
}

result<void> for_records(repository_reader& from, std::string_view collection,
                         std::string_view prefix, const std::function<bool(const record&)>& use,
                         std::string after) {
    constexpr std::size_t page_size = 100;
    for (bool more = true; more;) {
        const auto page = from.list_records({collection, prefix, after, page_size});
        if (!page) return page.error();
        for (const record& it : page->records) {
            if (!use(it)) return {};
        }
        more = page->more && !page->records.empty();
        if (more) after = page->records.back().key;
    }
    return {};
}

std::string random_letters(std::size_t count) {
    constexpr std::string_view letters =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr unsigned fair = 256 / letters.size() * letters.size();
    std::string out;
    while (out.size() < count) {
        std::array<unsigned char, 32> bytes;
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
        for (const unsigned char it : bytes) {
            if (it < fair && out.size() < count) out += letters[it % letters.size()];
        }
    }
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
