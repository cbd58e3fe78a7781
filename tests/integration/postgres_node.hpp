#ifndef ORDERPROC_TESTS_INTEGRATION_POSTGRES_NODE_HPP
#define ORDERPROC_TESTS_INTEGRATION_POSTGRES_NODE_HPP

// A PostgreSQL server of the test's own: see postgres_node.py, which runs it.

#include "child_script.hpp"

#include <orderproc/postgres.hpp>

#include <chrono>
#include <string>

#ifndef ORDERPROC_TEST_POSTGRES_NODE
#error "the path of postgres_node.py"
#endif

class postgres_node {
public:
    postgres_node() : script_(ORDERPROC_TEST_POSTGRES_NODE, "") {}

    // Of its socket, and of its data.
    const std::string& folder() const { return script_.first_line(); }
    // As the superuser.
    std::string url() const { return "postgresql:///test?host=" + folder() + "&user=test"; }
    // Of a schema of its own; tests have clocks of their own.
    orderproc::postgres_options options(std::string schema) const {
        orderproc::postgres_options out;
        out.connection = url();
        out.schema = std::move(schema);
        out.clock_skew_max = std::chrono::milliseconds(0);
        return out;
    }

    // "kill", "sql SELECT 1"… (see the script): what it printed.
    std::string tell(const std::string& command) { return script_.tell(command); }

private:
    child_script script_;
};

#endif
