#include "unused_part.hpp"

#include <algorithm>
#include <cstdint>
#include <new>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

constexpr std::size_t page_size_min = 512;
constexpr std::size_t page_size_max = 65'536;
constexpr std::size_t file_header_size = 100;
constexpr sqlite3_int64 auto_vacuum_at = 52;  // four bytes, which are zero unless it is on

// Other pages begin with the number of a page, whose first byte is that of no B-tree page as long
// as the file has fewer pages than this; half of what would do.
constexpr sqlite3_int64 pages_max = sqlite3_int64{1} << 24;

bool is_page(int count, sqlite3_int64 at) noexcept {
    const auto size = static_cast<std::size_t>(count);
    return size >= page_size_min && size <= page_size_max && (size & (size - 1)) == 0 &&
           at % count == 0;
}

// Whether a page that looks like one of a B-tree is one.
bool is_known(const cleaning_methods& by, sqlite3_file* file, int page_size) noexcept {
    sqlite3_int64 size = 0;
    if (by.base->xFileSize(file, &size) != SQLITE_OK || size / page_size >= pages_max) return false;
    std::uint32_t auto_vacuum = 0;
    const int code = by.base->xRead(file, &auto_vacuum, sizeof auto_vacuum, auto_vacuum_at);
    return code == SQLITE_OK && auto_vacuum == 0;
}

int write_clean(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
    // The methods that SQLite sees are the first member.
    auto& by =
        *const_cast<cleaning_methods*>(reinterpret_cast<const cleaning_methods*>(file->pMethods));
    const auto write = [&](const void* from) { return by.base->xWrite(file, from, count, at); };
    if (!is_page(count, at)) return write(bytes);
    const auto* const page = static_cast<const unsigned char*>(bytes);
    const auto [begin, end] = unused_part(page, static_cast<std::size_t>(count), at == 0);
    const bool clean =
        std::all_of(page + begin, page + end, [](unsigned char byte) { return byte == 0; });
    if (clean || !is_known(by, file, count)) return write(bytes);
    try {
        by.page.assign(page, page + count);
    } catch (const std::bad_alloc&) {
        return SQLITE_IOERR_NOMEM;
    }
    std::fill(by.page.begin() + static_cast<std::ptrdiff_t>(begin),
              by.page.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    return write(by.page.data());
}

}  // namespace

std::pair<std::size_t, std::size_t> unused_part(const unsigned char* page, std::size_t size,
                                                bool first) noexcept {
    constexpr std::pair<std::size_t, std::size_t> none{0, 0};
    const unsigned char* const header = page + (first ? file_header_size : 0);
    const auto number = [](const unsigned char* at) {
        return static_cast<std::size_t>(at[0]) << 8 | at[1];
    };
    const bool leaf = header[0] == 10 || header[0] == 13;
    if (!leaf && header[0] != 2 && header[0] != 5) return none;
    const std::size_t free_block = number(header + 1);
    const std::size_t cells = number(header + 3);
    const std::size_t content = number(header + 5) == 0 ? page_size_max : number(header + 5);
    const unsigned char* const pointers = header + (leaf ? 8 : 12);
    const auto begin = static_cast<std::size_t>(pointers - page) + 2 * cells;
    constexpr std::size_t cell_size_min = 4;
    const auto is_in_content = [&](std::size_t at) {
        return at >= content && at + cell_size_min <= size;
    };
    if (begin > content || content > size) return none;
    if (free_block != 0 && !is_in_content(free_block)) return none;
    for (std::size_t i = 0; i < cells; ++i) {
        if (!is_in_content(number(pointers + 2 * i))) return none;
    }
    return {begin, content};
}

void cleaning_methods::take_over(sqlite3_file* file) noexcept {
    if (file->pMethods->iVersion < 3) return;  // others have fewer members
    base = file->pMethods;
    methods = *base;
    methods.xWrite = write_clean;
    file->pMethods = &methods;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
