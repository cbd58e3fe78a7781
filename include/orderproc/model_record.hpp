#ifndef ORDERPROC_MODEL_RECORD_HPP
#define ORDERPROC_MODEL_RECORD_HPP

// Where a storage keeps the order model that all who write to it share.

#include <orderproc/order_model.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// The record of which an engine's model was made. The engine makes every write depend on its
// version. If somebody has stored another version, the engine reads the record, checks that the new
// model is a successor of its own (see check_successor()), and repeats the write under the new
// model. If it cannot, the write fails with errc::unavailable: nothing was written.
struct model_record {
    std::string collection;     // as change_record::collection
    std::string key;            // as change_record::key
    std::uint64_t version = 0;  // at least 1
    // Makes a model of the record's value. Called on a thread that runs the engine. It may throw,
    // which is a failure with the exception's text.
    std::function<result<order_model>(std::string_view value)> read;
};

}  // namespace v1
}  // namespace orderproc

#endif
