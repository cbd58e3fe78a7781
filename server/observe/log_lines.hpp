#ifndef ORDERPROC_SERVER_OBSERVE_LOG_LINES_HPP
#define ORDERPROC_SERVER_OBSERVE_LOG_LINES_HPP

// Records as lines: one JSON object each, or key=value for people.

#include <orderproc/log.hpp>

#include <string>

namespace orderproc::server {

enum class log_format : std::uint8_t { text, json };

// Appends the line with its end: {"time":…,"level":…,"event":…, and the fields} in UTC. Texts are
// escaped, so that a line stays one line and nobody's terminal is written to.
void append_log_line(log_format as, timestamp now, const log_record& what, std::string& out);

// Writes lines to the descriptor, each with one write(2): lines of several threads do not mix.
log_sink make_line_log(log_format as, int descriptor);

}  // namespace orderproc::server

#endif
