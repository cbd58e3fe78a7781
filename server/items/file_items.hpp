#ifndef ORDERPROC_SERVER_ITEMS_FILE_ITEMS_HPP
#define ORDERPROC_SERVER_ITEMS_FILE_ITEMS_HPP

// A catalogue in a text file.

#include <orderproc/items.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::server {

// A list that was written less than this ago may not be whole yet.
inline constexpr std::chrono::milliseconds items_rest = std::chrono::seconds(1);

// Item ids between white space, commas or the brackets of a JSON array; from # to the end of a line
// it is a comment. A list that begins with a bracket ends with one.
//
// When the file has changed, it is read again as soon as it has rested for items_rest. Until then
// nobody can tell whether the new list is whole, so the list before counts, but only for what it
// has: check() of any other item is errc::unavailable. The same holds for a file that changes while
// it is read. Replace the file by rename(2) rather than writing it in place: a writer that pauses
// for longer leaves half of a list at rest. If the file is gone or malformed, that is reported to
// watch once, and the list before goes on to count.
//
// errc::invalid_argument, naming the line, for a malformed file; errc::unavailable if it cannot be
// read, or changes all the time. The clock must outlive the checker.
result<std::unique_ptr<item_checker>> make_file_items(std::string path, observer& watch,
                                                      clock& time = system_runtime().time);

}  // namespace orderproc::server

#endif
