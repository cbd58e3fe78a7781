#include "api/batch.hpp"

#include "api/api.hpp"
#include "api/idempotency.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"

#include <orderproc/json.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// The lines that hold something; one more than there may be at most.
std::vector<std::string_view> lines_of(std::string_view body) {
    std::vector<std::string_view> out;
    while (!body.empty() && out.size() <= batch::items_max) {
        const std::size_t end = body.find('\n');
        const std::string_view line = body.substr(0, end);
        if (line.find_first_not_of(" \t\r") != line.npos) out.push_back(line);
        body.remove_prefix(end == body.npos ? body.size() : end + 1);
    }
    return out;
}

}  // namespace

void batch::item::complete(change_outcome& it) noexcept {
    outcome = std::move(it);
    of_.done();
}

void batch::refuse_items(error_code ec, std::span<const std::size_t> unknown,
                         const http::request& in) {
    std::size_t first = 0;  // of this order's items among all
    for (item& it : items_) {
        if (it.status != 0) continue;
        const std::size_t size = std::get<submit_order>(it.what.what).value.item_ids.size();
        refused_items why{ec, {}};
        for (; !unknown.empty() && unknown.front() < first + size; unknown = unknown.subspan(1)) {
            why.unknown.push_back(unknown.front() - first);
        }
        first += size;
        if (!ec && why.unknown.empty()) continue;
        if (ask_for_key_instead(it.what)) {
            it.refused = std::move(why);
            continue;
        }
        http::response refusal;
        write_refusal(why, in, refusal);
        it.status = refusal.status;
        it.problem = std::move(refusal.body);
    }
}

void batch::submit(engine& to, http::exchange& by) noexcept {
    by_ = &by;
    left_ = items_.size() + 1;  // one for this loop
    for (item& it : items_) {
        if (it.status == 0) {
            error_code ec = errc::unavailable;
            try {
                const auto queued = to.submit(std::move(it.what), it);
                if (queued) continue;
                ec = queued.error().code;
            } catch (const std::exception&) {  // memory has run out before it was queued
            }
            it.outcome.ec = ec;
        }
        done();
    }
    done();
}

void batch::done() noexcept {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) by_->ready();
}

bool api::create_orders(const call& it, http::response& out, pending& todo) {
    const bool lines = is_declared(it.in, "application/x-ndjson");
    if (!lines && !is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type,
                            "it has to be application/json or application/x-ndjson", it.in, out);
        return false;
    }
    if (!expect_no_query(it.in, out)) return false;
    std::vector<std::string_view> texts;
    if (lines) {
        texts = lines_of(it.in.body);
    } else {
        json_array split = split_json_array(it.in.body, batch::items_max + 1);
        if (!expect_valid(split.syntax, split.errors, it.in, out)) return false;
        texts = std::move(split.items);
    }
    if (texts.size() > batch::items_max) {
        http::write_problem(problems::payload_too_large, "it may have at most 1000 orders", it.in,
                            out);
        return false;
    }
    todo.many = std::make_unique<batch>();
    for (const std::string_view text : texts) add_to_batch(it, text, *todo.many);
    todo.finish = &api::finish_batch;
    todo.asks_items = true;
    return true;
}

void api::add_to_batch(const call& it, std::string_view text, batch& to) {
    const std::size_t index = to.items().size();
    batch::item& item = to.add();
    parsed_order parsed = parse_order(text);
    http::response refusal;
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, refusal)) {
        item.status = refusal.status;
        item.problem = std::move(refusal.body);
        return;
    }
    item.what.what = submit_order{std::move(parsed.value)};
    item.what.traceparent = valid_traceparent(it.in.find("traceparent"));
    if (it.key.empty()) return;
    const std::string key = std::string(it.key) + "#" + std::to_string(index);
    item.what.once = make_idempotency({}, it.in, key, text);
}

bool api::finish_batch(const http::request& in, change_outcome&, pending& todo,
                       http::response& out) {
    out.fields.append(order_fields);
    std::string body = R"({"items":[)";
    for (batch::item& it : todo.many->items()) {
        if (body.back() != '[') body.append(1, ',');
        http::response one;
        if (it.status != 0) {
            one.status = it.status;
            one.body = std::move(it.problem);
        } else if (it.outcome.ec == errc::idempotency_mismatch) {
            http::write_problem(problems::idempotency_mismatch, {}, in, one);
        } else if (it.refused && it.outcome.ec == errc::not_found) {
            write_refusal(*it.refused, in, one);
        } else {
            finish_create(in, it.outcome, todo, one);
        }
        body.append(R"({"status":)").append(std::to_string(one.status));
        body.append(one.status == 201 ? R"(,"order":)" : R"(,"problem":)").append(one.body);
        if (it.outcome.replayed) body.append(R"(,"replayed":true)");
        body.append(1, '}');
    }
    out.body = std::move(body.append("]}"));
    return false;
}

}  // namespace orderproc::server
