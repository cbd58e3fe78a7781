#ifndef ORDERPROC_WRITE_RECORDS_HPP
#define ORDERPROC_WRITE_RECORDS_HPP

// Several records through an engine.

#include <orderproc/engine.hpp>

#include <functional>
#include <vector>

namespace orderproc {
inline namespace v1 {

// Submits all, and calls done once, on the thread that runs the engine, with the first error: that
// of the call, or of a record that was refused (errc::version_conflict: somebody else has changed
// it). They are written together, but each is refused on its own. Without records, done is called
// at once. It must not throw. The engine outlives the call of done.
ORDERPROC_EXPORT void write_records(engine& to, std::vector<change_record> what,
                                    std::function<void(result<void>)> done);

}  // namespace v1
}  // namespace orderproc

#endif
