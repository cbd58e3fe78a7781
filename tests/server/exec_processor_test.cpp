#include "processors/exec_processor.hpp"

#include "processor_run.hpp"
#include "processors/children.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

using namespace orderproc;
using namespace orderproc::server;
using orderproc::server::testing::attempt;
using orderproc::server::testing::processor_run;

namespace {

struct workshop {
    workshop() {
        folder = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        BOOST_REQUIRE(mkdtemp(folder.data()) != nullptr);
    }
    ~workshop() { std::filesystem::remove_all(folder); }

    std::unique_ptr<processor> shell(const std::string& script,
                                     std::chrono::milliseconds grace = std::chrono::seconds(5)) {
        exec_options options;
        options.command = {"sh", "-c", script};
        options.grace = grace;
        return std::move(make_exec_processor(std::move(options))).value();
    }
    std::string text_of(const std::string& name) const {
        std::ifstream file(folder + "/" + name);
        std::ostringstream out;
        out << file.rdbuf();
        return out.str();
    }
    std::string script(const std::string& name, const std::string& text, mode_t mode = 0700) {
        const std::string path = folder + "/" + name;
        std::ofstream(path) << text;
        BOOST_REQUIRE_EQUAL(chmod(path.c_str(), mode), 0);
        return path;
    }
    // For a script to say that it has come so far.
    std::string fifo(const std::string& name) const {
        const std::string path = folder + "/" + name;
        BOOST_REQUIRE_EQUAL(mkfifo(path.c_str(), 0600), 0);
        return path;
    }

    std::string folder;
    processor_run run;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(exit_codes_are_verdicts, workshop) {
    BOOST_TEST((run.one(*shell("exit 0")).outcome == attempt_outcome::advanced));
    const attempt later = run.one(*shell("echo no stock >&2; exit 75"));
    BOOST_TEST((later.outcome == attempt_outcome::retried));
    BOOST_TEST(later.reason == "exit code 75: no stock");
    const attempt never = run.one(*shell("printf 'sold out\\nsecond line\\n' >&2; exit 3"));
    BOOST_TEST((never.outcome == attempt_outcome::gave_up));
    BOOST_TEST(never.reason == "exit code 3: sold out");
    const attempt killed = run.one(*shell("kill -9 $$"));
    BOOST_TEST((killed.outcome == attempt_outcome::retried));
    BOOST_TEST(killed.reason == "killed by signal 9");
}

BOOST_FIXTURE_TEST_CASE(the_order_is_on_stdin_and_around_it, workshop) {
    const attempt done =
        run.one(*shell("cd " + folder + "; cat > order; env > env; echo noise; trap 'exit 1' PIPE"),
                R"({"note":"x"})", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    BOOST_TEST((done.outcome == attempt_outcome::advanced));
    BOOST_TEST(text_of("order").find(R"("order_id":"ORD-1")") != std::string::npos);
    BOOST_TEST(text_of("order").find(R"("metadata":{"note":"x"})") != std::string::npos);
    const std::string env = text_of("env");
    for (const char* line :
         {"ORDERPROC_ORDER_ID=ORD-1", "ORDERPROC_STAGE=PROCESSING", "ORDERPROC_ATTEMPT=1",
          "ORDERPROC_IDEMPOTENCY_KEY=ORD-1/PROCESSING",
          "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "PATH="}) {
        BOOST_TEST(env.find(line) != std::string::npos, line);
    }
}

// Before: a supervisor that ignores SIGCHLD made every failed order COMPLETED.
BOOST_FIXTURE_TEST_CASE(a_lost_exit_code_is_no_success, workshop) {
    struct sigaction before {};
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignore, &before);
    const attempt failed = run.one(*shell("exit 3"));
    const attempt killed = run.one(*shell("kill -9 $$"));
    sigaction(SIGCHLD, &before, nullptr);
    for (const attempt& it : {failed, killed}) {
        BOOST_TEST((it.outcome == attempt_outcome::retried));
        BOOST_TEST(it.reason.find("exit code is lost") != std::string::npos, it.reason);
    }
}

BOOST_FIXTURE_TEST_CASE(settings_and_the_servers_own_trace_are_not_handed_on, workshop) {
    const std::pair<const char*, const char*> ours[] = {
        {"ORDERPROC_BROKER", "amqp://user:secret@host"},
        {"ORDERPROC_ATTEMPT", "99"},
        {"ORDERPROC_ANYTHING", "secret"},
        {"TRACEPARENT", "secret"},
        {"TRACESTATE", "secret"},
        {"SHOP_SETTING", "for the program"}};
    for (const auto& [name, value] : ours) setenv(name, value, 1);
    const attempt done = run.one(*shell("env > " + folder + "/env"));
    for (const auto& [name, value] : ours) unsetenv(name);
    BOOST_TEST((done.outcome == attempt_outcome::advanced));
    std::istringstream lines(text_of("env"));
    std::set<std::string> names;
    for (std::string line; std::getline(lines, line);) {
        BOOST_TEST(line.find("secret") == std::string::npos, line);
        names.insert(line.substr(0, line.find('=')));
        if (line.starts_with("ORDERPROC_ATTEMPT=")) BOOST_TEST(line == "ORDERPROC_ATTEMPT=1");
    }
    BOOST_TEST(names.count("SHOP_SETTING") == 1U);
    const auto of_us = std::count_if(names.begin(), names.end(), [](const std::string& it) {
        return it.starts_with("ORDERPROC_") || it.starts_with("TRACE");
    });
    BOOST_TEST(of_us == 4);
}

// Also of what was open before us, without close-on-exec.
BOOST_FIXTURE_TEST_CASE(a_program_has_three_open_files, workshop) {
    const int inherited = ::open("/dev/null", O_RDONLY);  // NOLINT: on purpose
    const int far = ::fcntl(inherited, F_DUPFD, 200);
    BOOST_REQUIRE(far >= 200);
    const attempt done = run.one(*shell(
        "i=0; while [ $i -lt 1024 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done > " +
        folder + "/list"));
    ::close(far);
    ::close(inherited);
    BOOST_TEST((done.outcome == attempt_outcome::advanced));
    std::istringstream lines(text_of("list"));
    std::set<std::string> numbers;
    for (std::string line; std::getline(lines, line);) numbers.insert(line);
    numbers.erase("10");  // the shell's own copy while its output is redirected
    BOOST_TEST(numbers.size() == 3U, text_of("list"));
    for (const char* it : {"0", "1", "2"}) BOOST_TEST(numbers.count(it) == 1U, it);
}

BOOST_FIXTURE_TEST_CASE(a_program_has_signals_as_they_are_by_default, workshop) {
    const int ours[] = {SIGPIPE, SIGXFSZ, SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGUSR1};
    struct sigaction before[std::size(ours)];
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    const auto work = shell("grep -E 'SigBlk|SigIgn' /proc/self/status > " + folder + "/signals");
    for (std::size_t i = 0; i < std::size(ours); ++i) {
        if (ours[i] != SIGCHLD) sigaction(ours[i], &ignore, &before[i]);
    }
    const attempt done = run.one(*work);
    for (std::size_t i = 0; i < std::size(ours); ++i) {
        if (ours[i] != SIGCHLD) sigaction(ours[i], &before[i], nullptr);
    }
    BOOST_TEST((done.outcome == attempt_outcome::advanced));
    BOOST_TEST(text_of("signals") == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

// A server that is killed takes its programs with it, and their orders are free to be retried.
BOOST_FIXTURE_TEST_CASE(a_program_dies_with_the_process_that_started_it, workshop) {
    const std::string alive = fifo("alive");
    // Orphans come to us, so that their end can be waited for.
    BOOST_REQUIRE_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const pid_t server = fork();
    BOOST_REQUIRE(server >= 0);
    if (server == 0) {
        const std::vector<std::string> script{"sh", "-c",
                                              "echo $$ > " + alive + "; exec sleep 600"};
        child made;
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        if (child_table::of_this_process().start({"/bin/sh", script, {}}, null, null, made) == 0) {
            for (;;) pause();
        }
        _exit(1);
    }
    pid_t program = 0;
    std::ifstream(alive) >> program;
    BOOST_TEST_REQUIRE(program > 0);
    ::kill(server, SIGKILL);
    BOOST_TEST(waitpid(server, nullptr, 0) == server);
    int status = 0;
    BOOST_TEST(waitpid(program, &status, 0) == program);  // for ten minutes, if it were not killed
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

BOOST_FIXTURE_TEST_CASE(a_program_that_goes_away_is_no_failure_of_the_order, workshop) {
    const std::string path = script("program", "#!/bin/sh\nexit 0\n");
    exec_options options;
    options.command = {path};
    const auto work = make_exec_processor(options).value();
    BOOST_TEST((run.one(*work).outcome == attempt_outcome::advanced));
    std::filesystem::remove(path);
    const attempt out = run.one(*work);
    BOOST_TEST((out.outcome == attempt_outcome::retried));
    BOOST_TEST(out.reason.find("No such file") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_program_that_cannot_run_is_refused_at_once, workshop) {
    std::filesystem::create_directory(folder + "/directory");
    script("not_executable", "#!/bin/sh\n", 0600);
    script("no_interpreter", "#! /nowhere/python3 -x\n");
    script("fine", "#!/bin/sh\nexit 0\n");
    const std::pair<std::string, const char*> rows[] = {
        {folder + "/missing", "cannot be found"},
        {folder + "/directory", "not an executable file"},
        {folder + "/not_executable", "not an executable file"},
        {folder + "/no_interpreter", "needs the interpreter /nowhere/python3"},
        {"orderproc-no-such-program", "not in PATH"},
        {"", "no name"}};
    for (const auto& [name, why] : rows) {
        exec_options options;
        options.command = {name};
        const auto made = make_exec_processor(options);
        BOOST_TEST_REQUIRE(!made.has_value(), name);
        BOOST_TEST((made.error().code == errc::invalid_argument));
        BOOST_TEST(made.error().detail.find(why) != std::string::npos, made.error().detail);
    }
    BOOST_TEST(find_program(folder + "/fine").value() == folder + "/fine");
    BOOST_TEST(find_program("sh").value().ends_with("/sh"));
    BOOST_TEST(!make_exec_processor({}).has_value());
}

// An orphan is nobody's child by the kernel's rule, until it is ours.
BOOST_FIXTURE_TEST_CASE(orphans_are_reaped_and_our_own_children_are_not, workshop) {
    BOOST_REQUIRE_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const std::string gate = fifo("gate");
    // Each leaves one child behind that ends later.
    const auto work = shell("(read x < " + gate + ") & echo $! > " + folder + "/orphan; exit 0");
    BOOST_TEST((run.one(*work).outcome == attempt_outcome::advanced));
    const pid_t orphan = std::stoi(text_of("orphan"));
    std::ofstream(gate) << "go" << std::endl;
    siginfo_t ended{};
    BOOST_TEST(waitid(P_PID, static_cast<id_t>(orphan), &ended, WEXITED | WNOWAIT) == 0);
    child_table::of_this_process().reap_adopted();
    BOOST_TEST(waitpid(orphan, nullptr, WNOHANG) == -1);
    BOOST_TEST(errno == ECHILD);
    // A child of ours that has ended keeps its exit code, whoever reaps meanwhile.
    child own;
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    auto& table = child_table::of_this_process();
    BOOST_REQUIRE_EQUAL(table.start({"/bin/sh", {"sh", "-c", "exit 7"}, {}}, null, null, own), 0);
    BOOST_TEST(waitid(P_PID, static_cast<id_t>(own.process), &ended, WEXITED | WNOWAIT) == 0);
    table.reap_adopted();
    const child_exit how = table.wait(own);
    BOOST_TEST(how.error == 0);
    BOOST_TEST(how.code == 7);
    ::close(own.descriptor);
    ::close(null);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

BOOST_FIXTURE_TEST_CASE(neither_side_of_the_pipes_can_hang_us, workshop) {
    const std::string large = R"({"x":")" + std::string(16'000, 'x') + R"("})";
    BOOST_TEST((run.one(*shell("exec <&-; exit 0"), large).outcome == attempt_outcome::advanced));
    const attempt loud = run.one(
        *shell("head -c 3000000 /dev/zero | tr '\\0' 'e' >&2; head -c 3000000 /dev/zero; exit 2"));
    BOOST_TEST((loud.outcome == attempt_outcome::gave_up));
    BOOST_TEST(loud.reason.size() < 600U);
    // A grandchild keeps stderr open: the end of the process is the end of the work.
    const std::string gate = fifo("gate");
    const attempt left = run.one(*shell("(cat " + gate + ") & exit 0"));
    BOOST_TEST((left.outcome == attempt_outcome::advanced));
    std::ofstream(gate) << "go";
}

BOOST_FIXTURE_TEST_CASE(a_time_out_kills_what_the_program_leaves_behind, workshop) {
    BOOST_REQUIRE_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    run.options.timeout = std::chrono::milliseconds(300);
    const std::string started = fifo("started");
    pid_t left = 0;
    run.meanwhile = [&] { std::ifstream(started) >> left; };
    {
        // The program itself ends politely; its child takes no notice.
        const auto work = shell("trap 'exit 0' TERM; (trap '' TERM; sh -c 'echo $PPID' > " +
                                started + "; while :; do sleep 1; done) & wait");
        BOOST_TEST((run.one(*work).outcome == attempt_outcome::timed_out));
    }  // joins
    BOOST_TEST_REQUIRE(left > 0);
    int status = 0;
    // For ever, if it were not killed. The table may have been quicker: then it is nobody's child.
    if (waitpid(left, &status, 0) == left) {
        BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    } else {
        BOOST_TEST(errno == ECHILD);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

// A job that is started while another's process is being stopped would wait for its place.
BOOST_FIXTURE_TEST_CASE(a_process_that_is_being_stopped_keeps_its_place, workshop) {
    run.options.timeout = std::chrono::milliseconds(300);
    const std::string started = fifo("started");
    run.meanwhile = [&] {
        std::string line;
        std::ifstream file(started);
        std::getline(file, line);
    };
    exec_options options;
    options.command = {"sh", "-c",
                       "trap '' TERM; echo go > " + started + "; while :; do sleep 1; done"};
    options.processes_max = 3;
    options.grace = std::chrono::hours(1);
    const auto work = make_exec_processor(options).value();
    BOOST_TEST(work->capacity() == 3U);
    BOOST_TEST((run.one(*work).outcome == attempt_outcome::timed_out));
    BOOST_TEST(work->capacity() == 2U);
}

BOOST_FIXTURE_TEST_CASE(who_ignores_sigterm_is_killed, workshop) {
    run.options.timeout = std::chrono::milliseconds(300);
    const std::string started = fifo("started");
    pid_t child = 0;
    run.meanwhile = [&] { std::ifstream(started) >> child; };  // once the trap is set
    {
        const auto work =
            shell("trap '' TERM; echo $$ > " + started + "; while :; do sleep 1; done",
                  std::chrono::milliseconds(50));
        const attempt out = run.one(*work);
        BOOST_TEST((out.outcome == attempt_outcome::timed_out));
    }  // joins what is left
    BOOST_TEST(child > 0);
    BOOST_TEST(::kill(child, 0) == -1);
    BOOST_TEST(errno == ESRCH);
}
