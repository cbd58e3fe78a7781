#ifndef ORDERPROC_TESTS_INTEGRATION_RABBITMQ_NODE_HPP
#define ORDERPROC_TESTS_INTEGRATION_RABBITMQ_NODE_HPP

// A RabbitMQ node of the test's own: see rabbitmq_node.py, which runs it.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>

#ifndef ORDERPROC_TEST_RABBITMQ_NODE
#error "the path of rabbitmq_node.py"
#endif

class rabbitmq_node {
public:
    // Ends the program with 77 where there is no RabbitMQ: ctest calls that skipped.
    explicit rabbitmq_node(bool tls = false) {
        std::array<int, 2> to{};
        std::array<int, 2> from{};
        if (pipe(to.data()) != 0 || pipe(from.data()) != 0) throw std::runtime_error("no pipe");
        child_ = fork();
        if (child_ < 0) throw std::runtime_error("no process");
        if (child_ == 0) {
            setsid();  // signals to this program are not for it: it ends when its input does
            dup2(to[0], STDIN_FILENO);
            dup2(from[1], STDOUT_FILENO);
            for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
            execl("/usr/bin/python3", "python3", ORDERPROC_TEST_RABBITMQ_NODE, tls ? "tls" : "",
                  nullptr);
            _exit(1);
        }
        ::close(to[0]);
        ::close(from[1]);
        commands_ = fdopen(to[1], "w");
        answers_ = fdopen(from[0], "r");
        std::istringstream first(read_line());
        if (!(first >> port_ >> tls_port_ >> folder_)) {
            const int status = end();
            if (WIFEXITED(status) && WEXITSTATUS(status) == 77) std::_Exit(77);
            throw std::runtime_error("the node did not start");
        }
    }
    ~rabbitmq_node() { end(); }
    rabbitmq_node(const rabbitmq_node&) = delete;
    rabbitmq_node& operator=(const rabbitmq_node&) = delete;

    std::string url() const { return "amqp://127.0.0.1:" + std::to_string(port_); }
    std::uint16_t port() const { return port_; }
    std::uint16_t tls_port() const { return tls_port_; }
    // ca.pem vouches for its certificate, which is for "localhost" and no other name.
    const std::string& folder() const { return folder_; }

    // "kill", "ctl list_queues", …: what it printed.
    std::string tell(const std::string& command) {
        std::fprintf(commands_, "%s\n", command.c_str());
        std::fflush(commands_);
        const std::string answer = read_line();
        if (answer.rfind("ok", 0) != 0) throw std::runtime_error(command + ": " + answer);
        return answer.substr(answer.find_first_not_of(' ', 2) == answer.npos ? 2 : 3);
    }

private:
    std::string read_line() {
        std::string out;
        for (int c = 0; (c = std::fgetc(answers_)) != EOF && c != '\n';) {
            out += static_cast<char>(c);
        }
        return out;
    }
    int end() {
        if (child_ <= 0) return 0;
        std::fclose(commands_);
        int status = 0;
        waitpid(child_, &status, 0);
        std::fclose(answers_);
        child_ = -1;
        return status;
    }

    pid_t child_ = -1;
    std::FILE* commands_ = nullptr;
    std::FILE* answers_ = nullptr;
    std::uint16_t port_ = 0;
    std::uint16_t tls_port_ = 0;
    std::string folder_;
};

#endif
