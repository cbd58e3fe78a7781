#ifndef ORDERPROC_CODEC_HPP
#define ORDERPROC_CODEC_HPP

// An order as bytes, for adapters that keep it as one value (a journal's snapshot, a
// key-value store). Compact, versioned, the same on every machine.

#include <orderproc/repository.hpp>

#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// Appends to out. What was written by one version of the library is read by every later one.
ORDERPROC_EXPORT void encode(const order& value, std::string& out);
ORDERPROC_EXPORT void encode(const stored_order& value, std::string& out);
// All but its position, which is its key and depends on the epoch; its version is after's.
ORDERPROC_EXPORT void encode(const journal_entry& value, std::string& out);

// errc::corrupt unless the bytes are exactly what encode() wrote. Never reads beyond them.
ORDERPROC_EXPORT result<order> decode_order(std::string_view bytes);
ORDERPROC_EXPORT result<stored_order> decode_stored_order(std::string_view bytes);
ORDERPROC_EXPORT result<journal_entry> decode_journal_entry(std::string_view bytes,
                                                            feed_position position);

}  // namespace v1
}  // namespace orderproc

#endif
