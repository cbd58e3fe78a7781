#include "processors/exec_processor.hpp"

#include "processor_run.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

BOOST_FIXTURE_TEST_CASE(no_program_is_trouble_not_a_failure_of_the_order, workshop) {
    exec_options options;
    options.command = {folder + "/missing"};
    const attempt out = run.one(*make_exec_processor(options).value());
    BOOST_TEST((out.outcome == attempt_outcome::retried));
    BOOST_TEST(out.reason.find("No such file") != std::string::npos);
    BOOST_TEST(!make_exec_processor({}).has_value());
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

BOOST_FIXTURE_TEST_CASE(a_time_out_stops_the_process_and_its_children, workshop) {
    run.options.timeout = std::chrono::milliseconds(200);
    const std::string gate = fifo("gate");
    const auto work =
        shell("trap 'echo stopped > " + folder + "/stopped; exit 0' TERM; echo $$ > " + folder +
              "/pid; cat " + gate + " & wait");
    const attempt out = run.one(*work);
    BOOST_TEST((out.outcome == attempt_outcome::timed_out));
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
