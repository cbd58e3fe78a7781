// The reader of HTTP. The first byte says how the rest is cut: which requests come of the bytes
// must not depend on that (only how soon they are refused may); and none that could be read in
// two ways.

#include "fuzz.hpp"
#include "http/request_parser.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server::http;

namespace {

const request_limits& limits() {
    static const request_limits it = [] {
        request_limits out;  // small, so that they are met
        out.header_size_max = 256;
        out.fields_max = 8;
        out.target_size_max = 64;
        out.body_size_max = 64;
        out.large_path = "/b";
        out.large_body_size_max = 128;
        return out;
    }();
    return it;
}

const std::string too_large = "too large";

std::string describe(request_parser& parser) {
    const request& it = parser.value();
    std::string out = std::string(it.method) + ' ' + std::string(it.path) + ' ' +
                      std::string(it.query) + (parser.keep_alive() ? " +" : " -");
    ORDERPROC_EXPECT(!it.method.empty() && !it.path.empty());
    ORDERPROC_EXPECT(it.path.front() == '/' || it.path == "*");
    ORDERPROC_EXPECT(it.fields.size() <= limits().fields_max);
    std::size_t hosts = 0;
    std::size_t lengths = 0;
    for (const field& one : it.fields) {
        hosts += equal_ignoring_case(one.name, "Host");
        lengths += equal_ignoring_case(one.name, "Content-Length") ||
                   equal_ignoring_case(one.name, "Transfer-Encoding");
        out.append(1, '\n').append(one.name).append(1, ':').append(one.value);
        ORDERPROC_EXPECT(one.name.find_first_of(" \t:\r\n") == one.name.npos && !one.name.empty());
        ORDERPROC_EXPECT(std::none_of(one.value.begin(), one.value.end(), [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
        }));
    }
    ORDERPROC_EXPECT(hosts == 1 || (hosts == 0 && parser.http_1_0()));
    ORDERPROC_EXPECT(lengths <= 1 && (lengths == 1 || it.body.empty()));
    ORDERPROC_EXPECT(it.body.size() <= (it.path == "/b" ? 128U : 64U));
    return out.append("\n\n").append(it.body);
}

// As a connection does: keeps what is not consumed, and reads on behind each header.
std::vector<std::string> read(std::string_view bytes, std::size_t piece, bool pauses) {
    request_parser parser(limits(), pauses);
    std::vector<std::string> out;
    std::string held;
    while (true) {
        std::size_t used = 0;
        auto state = request_parser::state::need_more;
        if (!held.empty()) state = parser.feed(held, used);
        ORDERPROC_EXPECT(used <= held.size());
        held.erase(0, used);
        if (state == request_parser::state::header) {
            ORDERPROC_EXPECT(parser.body_size_max() <= 128);
            state = parser.feed(held, used);
            held.erase(0, used);
        }
        ORDERPROC_EXPECT(state != request_parser::state::header);
        if (state == request_parser::state::failed) {
            ORDERPROC_EXPECT(parser.fault().status >= 400);
            // What is still incomplete is held to the limits more strictly than what is whole.
            if (parser.fault().status == 431) out.push_back(too_large);
            return out;
        }
        if (state == request_parser::state::complete) {
            out.push_back(describe(parser));
            parser.reset();
            continue;
        }
        if (bytes.empty()) return out;
        held.append(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
}

bool agree(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (a[i] == too_large || b[i] == too_large) return true;
        if (a[i] != b[i]) return false;
    }
    const auto& longer = a.size() > b.size() ? a : b;
    return longer.size() == common || longer[common] == too_large;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
    const auto whole = read(bytes, std::max<std::size_t>(bytes.size(), 1), false);
    ORDERPROC_EXPECT(agree(read(bytes, data[0] % 32 + 1U, true), whole));
    ORDERPROC_EXPECT(agree(read(bytes, 1, data[0] >= 128), whole));
    return 0;
}
