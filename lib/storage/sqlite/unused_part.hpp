#ifndef ORDERPROC_STORAGE_SQLITE_UNUSED_PART_HPP
#define ORDERPROC_STORAGE_SQLITE_UNUSED_PART_HPP

// PRAGMA secure_delete overwrites what is deleted, but not what SQLite leaves behind when it moves
// rows within a page: copies of them stay in its unused part, and outlive the rows. Here that part
// is zeroed when a page is written to the database.

#include <sqlite3.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// Between the pointers to the cells of a B-tree page and the first of the cells, in which nothing
// is kept (sqlite.org/fileformat2.html#b_tree_pages): where it begins and ends. Empty if the page
// does not look like one. first: it is the first page of the file.
std::pair<std::size_t, std::size_t> unused_part(const unsigned char* page, std::size_t size,
                                                bool first) noexcept;

// The methods of a file of the default VFS, but for how it is written. Lives longer than the file.
struct cleaning_methods {
    sqlite3_io_methods methods{};  // what SQLite sees
    const sqlite3_io_methods* base = nullptr;
    std::vector<char> page;

    // REQUIRES: the file is open.
    void take_over(sqlite3_file* file) noexcept;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
