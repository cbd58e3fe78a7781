#ifndef ORDERPROC_TESTS_INTEGRATION_CHILD_SCRIPT_HPP
#define ORDERPROC_TESTS_INTEGRATION_CHILD_SCRIPT_HPP

// A script that runs a server for a test: it prints a line when the server has started, and then
// answers each line on its input with one that begins with "ok" or "failed". It ends when its
// input does.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

class child_script {
public:
    // Ends the program with 77 where the server is not installed: ctest calls that skipped.
    child_script(const char* path, const char* argument) {
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
            execl("/usr/bin/python3", "python3", path, argument, nullptr);
            _exit(1);
        }
        ::close(to[0]);
        ::close(from[1]);
        commands_ = fdopen(to[1], "w");
        answers_ = fdopen(from[0], "r");
        first_ = read_line();
        if (!first_.empty()) return;
        const int status = end();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) std::_Exit(77);
        throw std::runtime_error(std::string(path) + " did not start");
    }
    ~child_script() { end(); }
    child_script(const child_script&) = delete;
    child_script& operator=(const child_script&) = delete;

    const std::string& first_line() const { return first_; }

    // What it answered after "ok".
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
    std::string first_;
};

#endif
