// Requests from their bytes to the bytes of their answers, over orders in memory. The input is
// requests, between lines of "---": a request line without its version, fields, an empty line,
// a body; lines end with LF alone. What is missing to make them HTTP is put in.

#include "api/api_service.hpp"
#include "fuzz.hpp"
#include "http/answer.hpp"
#include "http/request_parser.hpp"

#include <orderproc/json.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <atomic>
#include <string>

using namespace orderproc;
using namespace orderproc::server;

namespace {

struct silent final : observer {
    void error(std::string_view, const failure& what) noexcept override {
        ORDERPROC_EXPECT(what.detail.empty() && "trouble");
    }
};

struct ready_flag final : http::exchange {
    void ready() noexcept override { is_ready = true; }
    std::atomic<bool> is_ready = false;
};

struct world {
    static engine_options by_hand() {
        engine_options out;
        out.threads = 0;
        out.batch_max = 16;
        return out;
    }

    static read_pool_options read_by_hand() {
        read_pool_options out;
        out.threads = 0;
        return out;
    }

    http::response ask(http::request in) {
        http::response out;
        if (!session->admit(in, out)) return out;
        auto step = session->begin(in, out);
        while (step != http::step::answered) {
            while (!by.is_ready.exchange(false)) {
                (void)orders.run_once();
                reads.run_once();
            }
            step = session->resume(in, out);
        }
        return out;
    }

    orderproc::testing::manual_clock time;
    orderproc::testing::seeded_random random;
    silent watch;
    std::unique_ptr<storage> store = make_memory_storage();
    engine orders{*store, status_machine::standard(), runtime{time, random, watch}, by_hand()};
    read_pool reads{*store, read_by_hand()};
    attempt_tokens tokens{std::string(43, 's')};
    api handlers{orders, reads, [this] {
                     api_parts out;
                     out.attempts = &tokens;
                     return out;
                 }()};
    api_service service{handlers};
    ready_flag by;
    std::unique_ptr<http::session> session = service.open(by);
};

std::string as_http(std::string_view text) {
    std::string out(fuzz::next_part(text, "\n"));
    out += " HTTP/1.1\r\nHost: a\r\n";
    while (!text.empty()) {
        const std::string_view line = fuzz::next_part(text, "\n");
        if (line.empty()) break;
        out.append(line).append("\r\n");
    }
    if (!text.empty()) out += "Content-Length: " + std::to_string(text.size()) + "\r\n";
    return out.append("\r\n").append(text);
}

// Field lines are lines, whatever the client sent.
void check_fields(std::string_view fields) {
    while (!fields.empty()) {
        const std::size_t end = fields.find("\r\n");
        ORDERPROC_EXPECT(end != fields.npos);
        const std::string_view line = fields.substr(0, end);
        const std::size_t colon = line.find(": ");
        ORDERPROC_EXPECT(colon != line.npos && colon > 0);
        for (const char c : line) ORDERPROC_EXPECT(c >= 0x20 && c < 0x7f);
        ORDERPROC_EXPECT(line.substr(0, colon).find_first_of(" \t:") == line.npos);
        fields.remove_prefix(end + 2);
    }
}

void check_answer(const http::request& in, const http::response& out) {
    ORDERPROC_EXPECT(out.status >= 200 && out.status < 500);
    check_fields(out.fields);
    const bool bodiless = out.status == 204 || out.status == 304;
    ORDERPROC_EXPECT(bodiless == out.body.empty());
    const bool problem = out.content_type == "application/problem+json";
    const bool packed = out.fields.find("Content-Encoding") != out.fields.npos;
    if (!bodiless) ORDERPROC_EXPECT((out.status >= 400) == problem);
    if (!bodiless && !packed && (problem || out.content_type == "application/json")) {
        ORDERPROC_EXPECT(split_json_array("[" + out.body + "]", 2).syntax.line == 0);
    }
    http::answer_params params;
    params.request_id = "r";
    params.without_body = in.method == "HEAD";
    std::string bytes;
    http::append_answer(out, params, bytes);
    const std::size_t head = bytes.find("\r\n\r\n");
    ORDERPROC_EXPECT(bytes.size() - head - 4 ==
                     (params.without_body || bodiless ? 0 : out.body.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = fuzz::text_of(data, size);
    static const http::request_limits limits = [] {
        http::request_limits out;
        out.large_path = batch_path;
        return out;
    }();
    world it;
    http::request first;
    first.method = "POST";
    first.path = "/orders";
    const http::field json{"Content-Type", "application/json"};
    first.fields = {&json, 1};
    first.body = R"({"order_id":"ORD-1","user_id":1,"item_ids":[1],"total_amount":1.5})";
    first.id = "r";
    ORDERPROC_EXPECT(it.ask(first).status == 201);
    http::request_parser parser(limits);
    for (int i = 0; i < 8 && !text.empty(); ++i) {
        it.time.advance(std::chrono::milliseconds(1));
        const std::string bytes = as_http(fuzz::next_part(text, "\n---\n"));
        std::size_t used = 0;
        if (parser.feed(bytes, used) == http::request_parser::state::complete) {
            http::request& in = parser.value();
            in.id = "r";
            check_answer(in, it.ask(in));
        }
        parser.reset();
    }
    return 0;
}
