// What a URL means; nothing is connected to.

#include <orderproc/rabbitmq.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

using namespace orderproc;

namespace {

result<std::unique_ptr<broker>> open(const std::string& url) {
    rabbitmq_options out;
    out.url = url;
    return open_rabbitmq(out);
}

struct row {
    const char* url;
    const char* name;
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.url;
}

const row good[] = {
    {"amqp://host", "amqp://host:5672"},
    {"amqp://host/", "amqp://host:5672"},
    {"amqps://host", "amqps://host:5671"},
    {"amqp://user:secret@host:1234/v", "amqp://host:1234/v"},
    {"amqp://user@host", "amqp://host:5672"},
    {"amqp://user:sec%40ret%2F@a,b:77/%2Fx%20y", "amqp://a:5672,b:77/%2Fx%20y"},
    {"amqp://u:p@ss@host", "amqp://host:5672"},
    {"amqp://[::1]:5673,[fe80::1]", "amqp://[::1]:5673,[fe80::1]:5672"},
};

const char* const bad[] = {"",
                           "http://secret",
                           "amqp://",
                           "amqp://user:secret@",
                           "amqp://secret,,b",
                           "amqp://secret:0",
                           "amqp://secret:65536",
                           "amqp://secret:5x",
                           "amqp://user:secret%4@h",
                           "amqp://user:secret%00@h",
                           "amqp://user:secret%zz@h",
                           "amqp://[::1secret",
                           "amqp://h/secret/x",
                           "amqp://h/v?secret=1",
                           "amqp://h/v#secret"};

}  // namespace

BOOST_DATA_TEST_CASE(a_url_is_shown_without_credentials, boost::unit_test::data::make(good)) {
    const auto made = open(sample.url);
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST((*made)->info().name == sample.name);
}

BOOST_DATA_TEST_CASE(a_malformed_url_is_refused_and_not_repeated,
                     boost::unit_test::data::make(bad)) {
    const auto made = open(sample);
    BOOST_REQUIRE(!made);
    BOOST_TEST(made.error().code == make_error_code(errc::invalid_argument));
    BOOST_TEST(made.error().message().find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(nonsense_in_options_is_refused) {
    rabbitmq_options good_one;
    good_one.url = "amqp://host";
    std::vector<rabbitmq_options> wrong(4, good_one);
    wrong[0].exchange.clear();
    wrong[1].heartbeat = std::chrono::seconds(0);
    wrong[2].timeout = std::chrono::milliseconds(0);
    wrong[3].heartbeat = std::chrono::seconds(100'000);
    for (const rabbitmq_options& it : wrong) {
        const auto made = open_rabbitmq(it);
        BOOST_REQUIRE(!made);
        BOOST_TEST(made.error().code == make_error_code(errc::invalid_argument));
    }
}
