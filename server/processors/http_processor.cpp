#include "processors/http_processor.hpp"

#include <orderproc/json.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace orderproc::server {

namespace {

constexpr unsigned accepted = 202;
constexpr unsigned conflict = 409;
constexpr unsigned unprocessable = 422;

std::string text_member(const boost::json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    const auto* text = found ? found->if_string() : nullptr;
    return text ? std::string(*text) : std::string();
}

bool is_printable(std::string_view text) noexcept {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// What a problem document (RFC 9457) says, or the status.
std::string reason_of(const fetch_response& got) {
    std::string status = got.status_text();
    boost::system::error_code ec;
    const auto body = boost::json::parse(got.body, ec);
    const auto* problem = ec ? nullptr : body.if_object();
    if (!problem) return status;
    std::string detail = text_member(*problem, "detail");
    if (detail.empty()) detail = text_member(*problem, "title");
    return detail.empty() ? status : status + ": " + detail;
}

verdict judge(const result<fetch_response>& got, const std::string& event,
              const handed_over_work& later) {
    if (!got) {
        const failure& why = got.error();
        std::string reason = why.detail.empty() ? why.message() : why.detail;
        // No other attempt could send it either.
        if (why.code == errc::invalid_argument) return give_up{std::move(reason)};
        return retry_later{std::move(reason), {}};
    }
    if (got->status == accepted && later.tokens) return answer_later{later.timeout};
    if (got->status >= 200 && got->status < 300) return advance{event};
    if (got->status == conflict || got->status == unprocessable) return give_up{reason_of(*got)};
    return retry_later{reason_of(*got), got->retry_after()};
}

class http_processor final : public processor {
public:
    http_processor(const http_url& to, std::string event, http_client_options options,
                   const order_model& model, request_credential credential, handed_over_work later)
        : target_(to.path),
          event_(std::move(event)),
          later_(later),
          connections_(options.connections_max),
          model_(model),
          credential_(std::move(credential)),
          client_(to, std::move(options)) {}

    std::size_t capacity() const noexcept override { return connections_; }

    void start(job work) override {
        fetch_request what;
        what.method = "POST";
        what.target = target_;
        what.status_suffices = true;
        what.fields = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", std::string(work.idempotency_key())}};
        // Hosts may store any text there, and no order shall fail over it.
        if (is_printable(work.traceparent())) {
            what.fields.emplace_back("traceparent", work.traceparent());
        }
        if (later_.tokens) {
            what.fields.emplace_back("Orderproc-Attempt", later_.tokens->make(work.reference()));
        }
        what.body = to_json(work.value(), model_);
        if (auto ok = credential_.add_to(what, work.idempotency_key()); !ok) {
            return std::move(work).finish(retry_later{ok.error().detail, {}});
        }
        auto stop = work.stop();
        // A std::function has to be able to copy what it holds.
        auto held = std::make_shared<job>(std::move(work));
        client_.fetch(std::move(what), std::move(stop),
                      [this, held = std::move(held)](const result<fetch_response>& got) {
                          std::move(*held).finish(judge(got, event_, later_));
                      });
    }

private:
    const std::string target_;
    const std::string event_;
    const handed_over_work later_;
    const std::size_t connections_;
    const order_model& model_;
    const request_credential credential_;
    http_client client_;  // the last member: its destructor still calls us
};

}  // namespace

std::unique_ptr<processor> make_http_processor(const http_url& to, std::string event,
                                               http_client_options options,
                                               const order_model& model,
                                               request_credential credential,
                                               handed_over_work later) {
    return std::make_unique<http_processor>(to, std::move(event), std::move(options), model,
                                            std::move(credential), later);
}

}  // namespace orderproc::server
