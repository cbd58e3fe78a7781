// `orderproc order create`: one order of its options, or those of a file.

#include "cli/order_command.hpp"
#include "cli/settings.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

namespace orderproc::server {

namespace {

// The limits of a batch, with room to spare in bytes.
constexpr std::size_t batch_max = 1000;
constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;

// One request for as many as go, from the first on.
std::string next_batch(const many_orders& all, std::size_t first, std::size_t& end) {
    std::string body = all.lines ? "" : "[";
    for (end = first; end < all.items.size() && end - first < batch_max; ++end) {
        const std::string_view it = all.items[end];
        if (end > first && body.size() + it.size() > batch_bytes_max) break;
        if (!all.lines && end > first) body.append(1, ',');
        body.append(it);
        if (all.lines) body.append(1, '\n');
    }
    if (!all.lines) body.append(1, ']');
    return body;
}

failure too_little() {
    return {errc::invalid_argument,
            "an order needs --user, --item (or --line) and --amount, or --file"};
}

}  // namespace

int order_command::create() {
    if (with_.file.empty()) return create_one();
    std::ifstream file;
    if (with_.file != "-") file.open(with_.file, std::ios::binary);
    std::istream& from = with_.file == "-" ? std::cin : file;
    if (!from) return fail(with_.file + " cannot be read");
    return create_many({std::istreambuf_iterator<char>(from), {}});
}

int order_command::create_one() {
    typed_order it;
    it.order_id = with_.id;
    it.currency = with_.currency;
    it.metadata = with_.metadata;
    it.user_id = with_.user;
    it.total_amount = with_.amount;
    it.attributes = with_.attributes;
    it.tenant = with_.tenant;
    it.annotations = with_.annotations;
    it.not_before = with_.not_before;
    for (const std::string& item : with_.items) {
        if (auto ok = parse_item(item, it.item_ids); !ok) return fail(ok.error());
    }
    for (const std::string& line : with_.lines) {
        if (auto ok = parse_line(line, it.lines); !ok) return fail(ok.error());
    }
    const bool has_items = !it.item_ids.empty() || !it.lines.empty();
    if (!has_items || it.total_amount.empty()) return fail(too_little());
    if (const auto code = load_model()) return *code;
    const order_rules& rules = model_->orders.rules();
    const bool needs_user = rules.user != user_form::none && !rules.guests && !model_is_hidden_;
    if (needs_user && it.user_id.empty()) return fail(too_little());
    auto body = model_is_hidden_ ? to_body_as_typed(it) : to_body(it, model_->orders);
    if (!body) return fail(body.error());
    const std::string key = with_.key.empty() ? random_key() : with_.key;
    return show_order(client_.create("/orders", std::move(*body), false, key), 201);
}

int order_command::create_many(const std::string& text) {
    const auto orders = split_orders(text);
    if (!orders) return fail(with_.file + ": " + orders.error().detail);
    const std::string key = with_.key.empty() ? random_key() : with_.key;
    progress_line line;
    tally all;
    for (std::size_t first = 0, end = 0; first < orders->items.size(); first = end) {
        std::string body = next_batch(*orders, first, end);
        const auto got = client_.create("/orders/batch", std::move(body), orders->lines,
                                        key + "-" + std::to_string(first));
        if (const auto code = exit_code_for(got, 200)) {
            line.clear();
            std::fprintf(stderr, "%zu created before that\n", all.done);
            return *code;
        }
        if (const std::size_t judged = judge_batch(got->body, first, all, line);
            judged != end - first) {
            line.clear();
            return fail("the server answered for " + std::to_string(judged) + " of " +
                        std::to_string(end - first) + " orders");
        }
        line.show(std::to_string(end) + " of " + std::to_string(orders->items.size()));
    }
    line.clear();
    if (!with_.json) std::printf("%zu created, %zu refused\n", all.done, all.refused);
    return all.refused == 0 ? 0 : 1;
}

std::size_t order_command::judge_batch(std::string_view answer, std::size_t first, tally& all,
                                       progress_line& line) {
    std::size_t number = first;
    for (const std::string_view it : items_of(answer).items) {
        ++number;
        if (with_.json) print_json(it);
        const batch_verdict got = batch_verdict_of(it);
        if (got.status == 201) {
            ++all.done;
            continue;
        }
        ++all.refused;
        if (with_.json) continue;
        line.clear();
        fail("order " + std::to_string(number) + " of " + with_.file + ": " +
             problem_text(got.status, got.problem));
    }
    return number - first;
}

}  // namespace orderproc::server
