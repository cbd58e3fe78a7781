#ifndef ORDERPROC_SERVER_CLI_STAGE_PROCESSOR_HPP
#define ORDERPROC_SERVER_CLI_STAGE_PROCESSOR_HPP

// Which processor works on which stage of the machine.

#include <orderproc/status_machine.hpp>

#include <string>
#include <vector>

namespace orderproc::server {

struct stage_processor {
    order_status stage;  // its active status
    std::string event;   // that the processor raises when it is done
    std::string text;    // what make_named_processor() takes
};

// Of the values of --processor: "STAGE=PROCESSOR", "STAGE:EVENT=PROCESSOR" or, if the machine has
// one stage, "PROCESSOR". Without an event it is "complete" if the stage has that, else its only
// way out. errc::invalid_argument: a stage is unknown, has two processors, or has to be named, or
// an event has to be named or leads nowhere from the stage.
result<std::vector<stage_processor>> stage_processors(const std::vector<std::string>& values,
                                                      const status_machine& machine);

// The same processor for each stage of the machine.
result<std::vector<stage_processor>> for_each_stage(const std::string& text,
                                                    const status_machine& machine);

}  // namespace orderproc::server

#endif
