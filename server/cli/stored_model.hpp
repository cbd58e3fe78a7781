#ifndef ORDERPROC_SERVER_CLI_STORED_MODEL_HPP
#define ORDERPROC_SERVER_CLI_STORED_MODEL_HPP

// The order model and the status machine that a storage keeps as a record, so that all processes
// that use it have the same ones.

#include "cli/settings.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/model_file.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc::server {

inline constexpr std::string_view model_collection = "orderproc";
inline constexpr std::string_view model_key = "model";

struct shop_model {
    order_model orders;
    status_machine statuses;
    std::uint64_t version = 0;  // of the record; 0: it is not stored
};

// Of a text that is one. errc::invalid_argument, with all errors.
result<shop_model> shop_model_of(std::string_view text);
// The text of a file. errc::invalid_argument: it cannot be read, or is too large.
result<std::string> read_model_text(const std::string& path);

// Of --model, for commands that work with a storage.
inline constexpr const char* model_option_help =
    "File of the order model and the statuses, for a storage without orders; one that has a model "
    "must have the same";

// --model: empty, or the path of a file.
struct model_settings {
    std::string file;

    void add_to(CLI::App& command, const std::string& help);
    // errc::invalid_argument, with all errors of the file.
    result<std::optional<shop_model>> read() const;
};

// What the storage keeps; without a record of it, or without records, the standard model with
// version 0. errc::corrupt: the record cannot be read.
result<shop_model> load_model(storage& orders);

// The model for a process that works with the storage. Without a wanted one it is the stored one.
// An empty storage without a stored model stores the wanted one. errc::invalid_argument: the
// storage has another one; the detail says what the difference is.
result<shop_model> open_model(storage& orders, std::optional<shop_model> wanted);

// In a sentence, what `is` has that `was` has not, and the other way round; empty: they are equal.
std::string difference(const shop_model& was, const shop_model& is);

// For writes without an engine: they fail with errc::model_changed once there is another version.
// None if the model is not stored.
std::optional<record_guard> guard_of(const shop_model& model) noexcept;

// For engine_options::stored_model: how the engine meets a newer version. None if the model is not
// stored. The model must outlive the engine.
std::optional<model_record> record_of(const shop_model& model);

}  // namespace orderproc::server

#endif
