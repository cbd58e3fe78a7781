#ifndef ORDERPROC_TESTS_INTEGRATION_RABBITMQ_NODE_HPP
#define ORDERPROC_TESTS_INTEGRATION_RABBITMQ_NODE_HPP

// A RabbitMQ node of the test's own: see rabbitmq_node.py, which runs it.

#include "child_script.hpp"

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

#ifndef ORDERPROC_TEST_RABBITMQ_NODE
#error "the path of rabbitmq_node.py"
#endif

class rabbitmq_node {
public:
    explicit rabbitmq_node(bool tls = false)
        : script_(ORDERPROC_TEST_RABBITMQ_NODE, tls ? "tls" : "") {
        std::istringstream first(script_.first_line());
        if (!(first >> port_ >> tls_port_ >> folder_)) {
            throw std::runtime_error("the node did not start");
        }
    }

    std::string url() const { return "amqp://127.0.0.1:" + std::to_string(port_); }
    std::uint16_t port() const { return port_; }
    std::uint16_t tls_port() const { return tls_port_; }
    // ca.pem vouches for its certificate, which is for "localhost" and no other name.
    const std::string& folder() const { return folder_; }

    // "kill", "ctl list_queues", …: what it printed.
    std::string tell(const std::string& command) { return script_.tell(command); }

private:
    child_script script_;
    std::uint16_t port_ = 0;
    std::uint16_t tls_port_ = 0;
    std::string folder_;
};

#endif
