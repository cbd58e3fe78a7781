#include "docs/pages.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace orderproc::server {

const page* find_page(std::string_view path) noexcept {
    const auto all = pages();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const page& it) { return it.path == path; });
    return found == all.end() ? nullptr : &*found;
}

std::string unpack(std::string_view gzipped) {
    constexpr int gzip_alone = MAX_WBITS + 16;
    z_stream stream{};
    if (inflateInit2(&stream, gzip_alone) != Z_OK) throw std::runtime_error("zlib did not start");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzipped.data()));
    stream.avail_in = static_cast<uInt>(gzipped.size());
    std::string out;
    int status = Z_OK;
    try {
        std::array<char, 32 * 1024> buffer;
        while (status == Z_OK) {
            stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
            stream.avail_out = static_cast<uInt>(buffer.size());
            status = inflate(&stream, Z_NO_FLUSH);
            out.append(buffer.data(), buffer.size() - stream.avail_out);
        }
    } catch (...) {
        inflateEnd(&stream);
        throw;
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) throw std::runtime_error("a page is damaged");
    return out;
}

}  // namespace orderproc::server
