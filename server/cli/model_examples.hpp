#ifndef ORDERPROC_SERVER_CLI_MODEL_EXAMPLES_HPP
#define ORDERPROC_SERVER_CLI_MODEL_EXAMPLES_HPP

// The files of docs/models, which are part of the program.

#include <span>
#include <string_view>

namespace orderproc::server {

struct model_example {
    std::string_view name;
    std::string_view text;
};

std::span<const model_example> model_examples() noexcept;

}  // namespace orderproc::server

#endif
