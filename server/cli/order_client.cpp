#include "cli/order_client.hpp"

#include <orderproc/money.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::chrono::seconds timeout(60);
constexpr int tries_max = 5;
constexpr std::int64_t wait_max_s = 10;
constexpr int items_of_one_max = 1000;

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string text_of(const boost::json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    if (!found || found->is_null()) return "-";
    if (const auto* text = found->if_string()) return printable({text->data(), text->size()});
    return boost::json::serialize(*found);
}

// With the currency's decimals; a double is exact enough to tell the minor units.
std::string total_of(const boost::json::object& order) {
    const std::string code = text_of(order, "currency");
    const auto decimals = currency_decimals(code);
    const auto* found = order.if_contains("total_amount");
    if (!decimals || !found || !found->is_number()) return text_of(order, "total_amount");
    const double units = found->to_number<double>() * std::pow(10, *decimals);
    money amount;
    amount.minor_units = std::llround(units);
    std::copy(code.begin(), code.end(), amount.currency.begin());
    return to_string(amount) + " " + code;
}

std::chrono::milliseconds pause_after(const result<fetch_response>& got, int tried) {
    const std::string_view asked = got ? got->find("Retry-After") : std::string_view();
    std::int64_t seconds = 0;
    const auto [end, ec] = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
    if (ec == std::errc{} && end != asked.data()) {
        return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, wait_max_s));
    }
    return std::chrono::milliseconds(100 << tried);
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (code >= 0x20 && code != 0x7f) {
            out.push_back(c);
        } else {
            out.append("\\x").append(1, hex[code >> 4]).append(1, hex[code & 15]);
        }
    }
    return out;
}

std::string make_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out.append(row[i]);
            if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 2, ' ');
        }
        out.append(1, '\n');
    }
    return out;
}

result<void> parse_item(std::string_view text, std::vector<std::string>& ids) {
    const std::size_t times = std::min(text.find('x'), text.size());
    const std::string_view id = text.substr(0, times);
    std::int64_t number = 0;
    int quantity = 1;
    const auto read = [](std::string_view from, auto& value) {
        const auto [end, ec] = std::from_chars(from.data(), from.data() + from.size(), value);
        return ec == std::errc{} && end == from.data() + from.size() && value >= 1;
    };
    const bool ok = read(id, number) &&
                    (times == text.size() || read(text.substr(times + 1), quantity)) &&
                    quantity <= items_of_one_max;
    if (!ok) {
        return failure{errc::invalid_argument,
                       "\"" + std::string(text) + "\" is no item such as 1001 or 1001x3"};
    }
    ids.insert(ids.end(), static_cast<std::size_t>(quantity), std::string(id));
    return {};
}

std::vector<std::string> order_headings() {
    return {"ORDER", "STATUS", "USER", "TOTAL", "ITEMS", "ATTEMPTS", "CREATED", "LAST ERROR"};
}

std::vector<std::string> order_row(const boost::json::object& order) {
    const auto* items = order.if_contains("item_ids");
    const std::size_t count = items && items->is_array() ? items->get_array().size() : 0;
    return {text_of(order, "order_id"),   text_of(order, "status"),
            text_of(order, "user_id"),    total_of(order),
            std::to_string(count),        text_of(order, "attempts"),
            text_of(order, "created_at"), text_of(order, "last_error")};
}

std::string problem_text(const fetch_response& got) {
    boost::system::error_code ec;
    const auto body = boost::json::parse(got.body, ec);
    const auto* problem = ec ? nullptr : body.if_object();
    if (!problem) return "the server answered " + std::to_string(got.status);
    std::string out = text_of(*problem, "title");
    if (problem->contains("detail")) out += ": " + text_of(*problem, "detail");
    const auto* errors = problem->if_contains("errors");
    if (!errors || !errors->is_array()) return out;
    for (const auto& it : errors->get_array()) {
        if (!it.is_object()) continue;
        out +=
            "\n  " + text_of(it.get_object(), "pointer") + " " + text_of(it.get_object(), "detail");
    }
    return out;
}

result<fetch_response> order_client::ask(fetch_request what) const {
    const bool keyed = std::any_of(what.fields.begin(), what.fields.end(),
                                   [](const auto& it) { return it.first == "Idempotency-Key"; });
    const bool repeatable = keyed || what.method == "GET";
    for (int tried = 1;; ++tried) {
        auto got = fetch(to_, what, timeout);
        const bool passing = !got || got->status == 429 || got->status == 503;
        if (!passing || !repeatable || tried == tries_max) return got;
        std::this_thread::sleep_for(pause_after(got, tried));
    }
}

}  // namespace orderproc::server
