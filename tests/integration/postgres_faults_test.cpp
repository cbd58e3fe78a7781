// A server that dies, connections that are lost at the worst time, and standbys that are not there.

#include "postgres_support.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

using namespace postgres_support;

namespace {

// Stands between a client and the server, until the client commits.
class cutting_proxy {
public:
    enum class when : std::uint8_t { before_commit, after_commit, within_answer };

    explicit cutting_proxy(when cut) : cut_(cut) {
        std::string name = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        folder_ = name;
        listener_ = at(folder_);
        if (::bind(listener_.first, reinterpret_cast<sockaddr*>(&listener_.second),
                   sizeof listener_.second) != 0 ||
            ::listen(listener_.first, 8) != 0) {
            throw std::runtime_error("no socket");
        }
        thread_ = std::thread([this] { run(); });
    }
    ~cutting_proxy() {
        ::shutdown(listener_.first, SHUT_RDWR);
        thread_.join();
        ::close(listener_.first);
        std::filesystem::remove_all(folder_);
    }

    std::string url() const { return "postgresql:///test?host=" + folder_ + "&user=test"; }

private:
    using address = std::pair<int, sockaddr_un>;

    static address at(const std::string& folder) {
        address out{::socket(AF_UNIX, SOCK_STREAM, 0), {}};
        out.second.sun_family = AF_UNIX;
        const std::string path = folder + "/.s.PGSQL.5432";
        path.copy(out.second.sun_path, sizeof out.second.sun_path - 1);
        return out;
    }

    // One connection after the other.
    void run() {
        for (int client = 0; (client = ::accept(listener_.first, nullptr, nullptr)) >= 0;) {
            const std::string url = node().url();
            const auto begin = url.find("host=") + 5;
            address server = at(url.substr(begin, url.find('&') - begin));
            if (::connect(server.first, reinterpret_cast<sockaddr*>(&server.second),
                          sizeof server.second) == 0) {
                forward(client, server.first);
            }
            ::close(client);
            ::close(server.first);
        }
    }

    void forward(int client, int server) {
        std::string buffer(1 << 20, '\0');
        bool committing = false;
        while (true) {
            pollfd on[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
            if (::poll(on, 2, -1) < 0) return;
            const bool from_client = on[0].revents != 0;
            const int from = from_client ? client : server;
            const auto size = ::read(from, buffer.data(), buffer.size());
            if (size <= 0) return;
            std::string_view data(buffer.data(), static_cast<std::size_t>(size));
            const bool answered = committing && !from_client;
            if (answered && cut_ == when::after_commit) return;  // the answer is lost
            const auto tag = data.find(std::string_view("COMMIT\0", 7));
            const bool cut = answered && tag != data.npos;  // before it says that it is ready
            if (cut) data = data.substr(0, tag + 7);
            // A connection prepares its COMMIT when it needs it first.
            committing = committing || (from_client && data.find("COMMIT") != data.npos);
            if (committing && cut_ == when::before_commit) return;
            const auto sent = ::write(from_client ? server : client, data.data(), data.size());
            if (cut || sent != static_cast<ssize_t>(data.size())) return;
        }
    }

    const when cut_;
    std::string folder_;
    address listener_;
    std::thread thread_;
};

void cut_a_write(const shop& of, cutting_proxy::when when, bool applied) {
    {
        const cutting_proxy proxy(when);
        postgres_options through = of.options();
        through.connection = proxy.url();
        const auto orders = std::move(open_postgres(through)).value();
        const auto failed = write(*writer_of(*orders), 7, {create("A")});
        BOOST_TEST((failed.call.error().code == errc::outcome_unknown));
    }
    const auto orders = of.open();
    const auto writer = writer_of(*orders);
    BOOST_TEST(writer->was_applied("test", 7).value() == applied);
    BOOST_TEST(holds(*writer, "A") == applied);
    check_whole(*writer);
}

std::string backends(const std::string& condition) {
    return "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orderproc' AND " +
           condition;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_answer_that_is_lost_is_found_again, shop) {
    cut_a_write(*this, cutting_proxy::when::after_commit, true);
}

BOOST_FIXTURE_TEST_CASE(half_an_answer_is_none, shop) {
    cut_a_write(*this, cutting_proxy::when::within_answer, true);
}

BOOST_FIXTURE_TEST_CASE(a_commit_that_was_never_sent_is_final, shop) {
    cut_a_write(*this, cutting_proxy::when::before_commit, false);
}

BOOST_FIXTURE_TEST_CASE(a_terminated_backend_costs_a_connection, shop) {
    const auto orders = open();
    const auto writer = writer_of(*orders);
    BOOST_TEST(write(*writer, 1, {create("A")}).call.has_value());
    sql("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE "
        "application_name = 'orderproc'");
    const auto failed = write(*writer, 2, {create("B")});
    BOOST_TEST((failed.call.error().code == errc::unavailable));
    BOOST_TEST((writer->count().error().code == errc::unavailable));  // for good
    const auto again = writer_of(*orders);
    BOOST_TEST(!again->was_applied("test", 2).value());
    BOOST_TEST(again->was_applied("test", 1).value());
    BOOST_TEST(write(*again, 2, {create("B")}).call.has_value());
    check_whole(*again);
}

BOOST_FIXTURE_TEST_CASE(a_killed_server_comes_back_with_all_that_was_answered, shop) {
    const auto orders = open();
    std::atomic<std::uint64_t> answered{0};
    std::atomic<bool> unsure{false};
    std::thread writes([&] {
        const auto writer = writer_of(*orders);
        for (std::uint64_t i = 1;; ++i) {
            const auto done = write(*writer, i, {create("A" + std::to_string(i))});
            if (!done.call) {
                unsure = done.call.error().code == errc::outcome_unknown;
                return;
            }
            answered = i;
        }
    });
    while (answered < 50) std::this_thread::yield();
    node().tell("kill");
    writes.join();
    BOOST_TEST(!orders->connect_writer().has_value());
    node().tell("start");
    const auto writer = writer_of(*orders);
    const std::uint64_t last = answered;
    for (std::uint64_t i = 1; i <= last; ++i) {
        BOOST_TEST_REQUIRE(holds(*writer, "A" + std::to_string(i)));
    }
    const bool applied = writer->was_applied("test", last + 1).value();
    BOOST_TEST((!applied || unsure));
    BOOST_TEST(holds(*writer, "A" + std::to_string(last + 1)) == applied);
    check_whole(*writer);
}

BOOST_FIXTURE_TEST_CASE(a_watch_goes_on_after_the_server_has_restarted, shop) {
    const auto orders = open();
    const auto watch = std::move(orders->watch()).value();
    (void)watch->wait(10s).value();
    node().tell("stop");
    BOOST_TEST(!watch->wait(0ms).value());
    node().tell("start");
    BOOST_TEST(watch->wait(60s).value());
}

// The server says COMMIT, and a warning, also to a user who does not want to hear of warnings.
BOOST_FIXTURE_TEST_CASE(a_commit_that_did_not_wait_for_its_standby_is_unknown, shop) {
    sql("ALTER ROLE test SET client_min_messages TO error");
    const auto orders = open();
    const auto writer = writer_of(*orders);
    sql("ALTER SYSTEM SET synchronous_standby_names TO 'nobody'");
    sql("SELECT pg_reload_conf()");
    // The first ones may be done before the server has read it.
    std::uint64_t sequence = 0;
    auto writes = std::async(std::launch::async, [&] {
        while (true) {
            ++sequence;
            const auto done = write(*writer, sequence, {create("A" + std::to_string(sequence))});
            if (!done.call) return done.call.error();
        }
    });
    wait_for(backends("wait_event = 'SyncRep'"), "1");
    sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    const failure why = writes.get();
    BOOST_TEST((why.code == errc::outcome_unknown));
    BOOST_TEST(why.detail.find("synchronous replication") != std::string::npos, why.detail);
    sql("ALTER ROLE test RESET client_min_messages");
    sql("ALTER SYSTEM RESET synchronous_standby_names");
    sql("SELECT pg_reload_conf()");
    BOOST_TEST(writer_of(*orders)->was_applied("test", sequence).value());
}

// As after the promotion of a standby.
BOOST_FIXTURE_TEST_CASE(another_timeline_begins_an_epoch, shop) {
    const auto orders = open();
    BOOST_TEST(write(*writer_of(*orders), 1, {create("A"), create("B")}).call.has_value());
    const auto before = reader_of(*orders)->read_feed({}).value().newest;
    sql("UPDATE " + table("epochs") + " SET timeline = 77");
    const auto writer = writer_of(*orders);
    const auto after = writer->read_feed({before}).value();
    BOOST_TEST(!after.reset);  // it had seen no more than there is
    BOOST_TEST(after.newest.offset == before.offset);
    BOOST_TEST(after.newest.epoch != before.epoch);
    BOOST_TEST(write(*writer, 2, {create("C")}).call.has_value());
    // A reader of the old epoch that saw an entry which was lost.
    BOOST_TEST(writer->read_feed({{before.epoch, before.offset + 1}}).value().reset);
    (void)writer_of(*orders);  // nothing is new to the next one
    BOOST_TEST(sql("SELECT count(*) FROM " + table("epochs")) == "2");
    check_whole(*writer);
}
