#include "items/http_items.hpp"

#include <orderproc/runtime.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// All the ids in question may be unknown: as many as the server holds in the bodies of requests.
constexpr std::size_t answer_max = 64 * 1024 * 1024;

// Each question is another one.
std::string random_id() {
    random_source& random = system_runtime().random;
    return "items-" + std::to_string(random.next()) + "-" + std::to_string(random.next());
}

class http_items final : public item_checker {
public:
    http_items(const http_url& to, http_client_options options, request_credential credential)
        : to_(to), credential_(std::move(credential)), client_(to, std::move(options)) {}

    result<void> check(std::span<const std::string_view> skus,
                       std::vector<std::size_t>& unknown) override {
        fetch_request what;
        what.method = "POST";
        what.target = to_.path;
        what.repeatable = true;  // it only reads
        what.fields = {{"Content-Type", "application/json"}};
        what.body = R"({"item_ids":[)";
        for (const std::string_view sku : skus) what.body.append(sku).append(1, ',');
        if (!skus.empty()) what.body.pop_back();
        what.body.append("]}");
        if (auto ok = credential_.add_to(what, random_id()); !ok) return ok;
        std::promise<result<fetch_response>> told;
        client_.fetch(std::move(what), {},
                      [&told](result<fetch_response> got) { told.set_value(std::move(got)); });
        const auto got = told.get_future().get();
        if (!got) return got.error();
        return read(*got, skus, unknown);
    }

private:
    result<void> read(const fetch_response& got, std::span<const std::string_view> skus,
                      std::vector<std::size_t>& unknown) const {
        const auto bad = [this](const std::string& what) {
            return failure{errc::unavailable, to_.shown() + " " + what};
        };
        if (got.status != 200) return bad("answered " + std::to_string(got.status));
        boost::system::error_code ec;
        const auto body = boost::json::parse(got.body, ec);
        const auto* object = ec ? nullptr : body.if_object();
        const auto* member = object ? object->if_contains("unknown") : nullptr;
        const auto* listed = member ? member->if_array() : nullptr;
        if (!listed) return bad("did not answer with {\"unknown\":[...]}");
        std::vector<std::size_t> found;
        for (const auto& it : *listed) {
            if (!it.is_int64()) return bad("answered with something that is not an item id");
            const std::string sku = std::to_string(it.get_int64());
            const auto at = std::lower_bound(skus.begin(), skus.end(), sku);
            if (at == skus.end() || *at != sku) continue;  // nobody asked
            found.push_back(static_cast<std::size_t>(at - skus.begin()));
        }
        unknown.insert(unknown.end(), found.begin(), found.end());
        return {};
    }

    const http_url to_;
    const request_credential credential_;
    http_client client_;
};

}  // namespace

std::unique_ptr<item_checker> make_http_items(const http_url& to, http_client_options options,
                                              request_credential credential) {
    options.body_max = answer_max;
    return std::make_unique<http_items>(to, std::move(options), std::move(credential));
}

}  // namespace orderproc::server
