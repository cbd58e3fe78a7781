#ifndef ORDERPROC_SERVER_ITEMS_FILE_ITEMS_HPP
#define ORDERPROC_SERVER_ITEMS_FILE_ITEMS_HPP

// A catalogue in a text file.

#include <orderproc/items.hpp>

#include <memory>
#include <string>

namespace orderproc::server {

// Item ids between white space, commas or the brackets of a JSON array; from # to the end of a
// line it is a comment. Read again when the file has changed: one that cannot be read then is
// told to watch, and the one before it goes on to count.
//
// errc::invalid_argument, naming the line, for anything else; errc::unavailable if there is no
// such file.
result<std::unique_ptr<item_checker>> make_file_items(std::string path, observer& watch);

}  // namespace orderproc::server

#endif
