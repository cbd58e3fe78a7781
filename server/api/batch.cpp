#include "api/batch.hpp"

#include "api/api.hpp"
#include "api/idempotency.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace orderproc::server {

batch_text::batch_text(std::string_view body, bool lines)
    : body_(body), lines_(lines), array_(body) {}

batch_text::found batch_text::next(std::string_view& order) {
    if (lines_) return next_line(order);
    if (!array_.next(order)) return found::end;
    position_ = static_cast<std::size_t>(order.data() + order.size() - body_.data());
    return found::order;
}

batch_text::found batch_text::next_line(std::string_view& order) noexcept {
    if (position_ == body_.size()) return found::end;
    const std::string_view rest = body_.substr(position_);
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    order = rest.substr(0, end);
    position_ += std::min(end + 1, rest.size());
    return order.find_first_not_of(" \t\r") == order.npos ? found::nothing_yet : found::order;
}

void batch::item::complete(change_outcome& it) noexcept {
    outcome = std::move(it);
    of_.done();
}

void batch::refuse_items(error_code ec, std::span<const std::size_t> unknown,
                         const http::request& in) {
    std::size_t first = 0;  // of this order's items among all
    for (item& it : items_) {
        if (it.status != 0) continue;
        const order_draft& draft = std::get<submit_order>(it.what.what).value;
        const std::size_t size = draft.item_ids.size() + draft.lines.size();  // one is empty
        refused_items why{ec, {}, !draft.lines.empty()};
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
    if (next_ == 0) {
        by_ = &by;
        left_ = items_.size() + 1;  // one for these steps
    }
    const std::size_t until = std::min(items_.size(), next_ + submit_step);
    while (next_ < until) {
        item& it = items_[next_++];
        if (it.status == 0) {
            it.outcome.ec = errc::unavailable;
            try {
                auto queued = to.submit(std::move(it.what), it);
                if (queued) continue;
                it.outcome.ec = queued.error().code;
                it.outcome.detail = std::move(queued.error().detail);
            } catch (const std::exception&) {  // memory has run out before it was queued
            }
        }
        done();
    }
    if (next_ < items_.size()) return by.ready();
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
    todo.many = std::make_unique<batch>(it.in.body, lines);
    todo.finish = &api::finish_batch;
    todo.asks_items = true;
    return read_batch(todo, it.in, it.key, out);
}

bool api::read_batch(pending& todo, const http::request& in, std::string_view key,
                     http::response& out) {
    batch& to = *todo.many;
    batch_text& from = to.text();
    const std::size_t until = from.position() + batch::read_step;
    while (from.position() < until) {
        std::string_view text;
        switch (from.next(text)) {
            case batch_text::found::nothing_yet:
                break;
            case batch_text::found::end:
                to.whole = true;
                return expect_valid(from.syntax(), from.errors(), in, out);
            case batch_text::found::order:
                if (to.items().size() == batch::items_max) {
                    http::write_problem(problems::payload_too_large,
                                        "it may have at most 1000 orders", in, out);
                    return false;
                }
                add_to_batch(in, key, text, todo);
        }
    }
    return true;
}

bool api::read_batch(pending& todo, const http::request& in, http::response& out) noexcept {
    try {
        return read_batch(todo, in, read_idempotency_key(in).text, out);
    } catch (...) {
        fail_with_exception(in, out);
        return false;
    }
}

void api::add_to_batch(const http::request& in, std::string_view key, std::string_view text,
                       pending& todo) {
    batch& to = *todo.many;
    const std::size_t index = to.items().size();
    batch::item& item = to.add();
    http::response refusal;
    const auto refuse = [&] {
        item.status = refusal.status;
        item.problem = std::move(refusal.body);
    };
    if (text.size() > parts_.limits.body_size_max) {
        http::write_problem(problems::payload_too_large,
                            "an order may have at most " +
                                std::to_string(parts_.limits.body_size_max) +
                                " bytes, in a batch as alone",
                            in, refusal);
        return refuse();
    }
    parsed_order parsed = parse_order(text, engine_.model());
    if (!expect_valid(parsed.syntax, parsed.errors, in, refusal)) return refuse();
    item.what.what = submit_order{std::move(parsed.value)};
    const std::string own = key.empty() ? "" : std::string(key) + "#" + std::to_string(index);
    speak_for(todo.by, in, "create_orders", {}, own, text, item.what);
}

bool api::finish_batch(const http::request& in, change_outcome&, pending& todo,
                       http::response& out) {
    out.fields.append(order_fields);
    out.cost = std::max(static_cast<std::uint32_t>(todo.many->items().size()), 1U);
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
            if (todo.by.bound() && it.outcome.after) conceal(*it.outcome.after);
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
