#ifndef ORDERPROC_SERVER_CLI_TROUBLE_LOG_HPP
#define ORDERPROC_SERVER_CLI_TROUBLE_LOG_HPP

#include <orderproc/runtime.hpp>

#include <cstdio>
#include <string>

namespace orderproc::server {

// Tells on stderr what an operator has to know. Safe from any thread.
class trouble_log final : public observer {
public:
    void trouble(std::string_view where, const failure& what) noexcept override {
        try {
            const std::string line =
                "orderproc: " + std::string(where) + ": " + what.message() + "\n";
            std::fputs(line.c_str(), stderr);
        } catch (...) {  // out of memory: there is nobody left to tell
        }
    }
};

}  // namespace orderproc::server

#endif
