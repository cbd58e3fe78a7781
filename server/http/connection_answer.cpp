// What a connection answers with: the fields that every answer has, streams, refusals.

#include "http/answer.hpp"
#include "http/connection.hpp"
#include "http/problem.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace orderproc::server::http {

namespace {

bool is_request_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

}  // namespace

void connection::identify(request& it) {
    ++requests_;
    const std::string_view sent = it.find("X-Request-Id");
    if (is_request_id(sent)) {
        it.id = sent;
        return;
    }
    const char* end =
        std::to_chars(id_.data() + id_prefix_size_, id_.data() + id_.size(), requests_, 16).ptr;
    it.id = {id_.data(), static_cast<std::size_t>(end - id_.data())};
}

void connection::append_answer() {
    ticket_.close(response_);
    const request& to = parser_.value();
    last_ = last_ || !parser_.keep_alive() || home_.draining();
    answer_params params;
    params.date = date_.at(std::time(nullptr));
    params.request_id = to.id;
    params.without_body = to.method == "HEAD";
    const bool streams = response_.stream && !params.without_body;
    if (response_.stream) {
        params.body = streams && !parser_.http_1_0() ? framing::chunked : framing::until_close;
    }
    if (last_ || streams) {
        params.connection = connection_word::close;
    } else if (parser_.http_1_0()) {
        params.connection = connection_word::keep_alive;
    }
    http::append_answer(response_, params, out_);
    if (streams) return hand_over(params.body == framing::chunked);
    response_.stream.reset();
    if (response_.body.capacity() > out_capacity_kept) response_.body = {};
    if (!last_ && !parser_.skipping()) parser_.reset();
}

// What is left here has nothing more to do.
void connection::hand_over(bool chunked) {
    home_.streams().adopt(
        {std::move(client_), from_, out_.substr(out_sent_), chunked, std::move(response_.stream)});
    handed_over_ = closed_ = true;
    last_ = false;
    deadline_ = 0;
    out_.clear();
    out_sent_ = 0;
}

void connection::refuse(const problem_kind& kind, std::string_view detail) {
    last_ = true;
    answer_problem(kind, detail);
}

void connection::answer_problem(const problem_kind& kind, std::string_view detail) {
    request& to = parser_.value();
    if (to.id.empty()) identify(to);
    write_problem(kind, detail, to, response_);
    answer_refusal();
}

void connection::answer_refusal() {
    session_->refused(parser_.value(), response_);
    append_answer();
}

}  // namespace orderproc::server::http
