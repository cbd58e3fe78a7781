// From options to a connection, and what it does when somebody has no memory left.

#include "postgres_support.hpp"
#include "storage/postgres/connecting.hpp"
#include "storage/postgres/settings.hpp"
#include "storage/postgres/transaction.hpp"

#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>

using namespace postgres_support;
using namespace orderproc::detail::postgres;

namespace {

std::optional<std::string> keyword_of(const std::string& url, std::string_view name) {
    postgres_options options;
    options.connection = url;
    const auto settings = settings_of(options).value();
    for (const keyword& it : settings.keywords) {
        if (it.name == name) return it.value;
    }
    return std::nullopt;
}

bool proves_itself(const std::string& url) {
    return keyword_of(url, "sslmode") == "verify-full";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_elsewhere_has_to_prove_who_it_is) {
    BOOST_TEST(proves_itself("postgresql://db.example/shop"));
    BOOST_TEST(proves_itself("postgresql://localhost,db.example/shop"));
    BOOST_TEST(proves_itself("postgresql://localhost/shop?hostaddr=192.0.2.1"));
    BOOST_TEST(!proves_itself("postgresql://localhost/shop"));
    BOOST_TEST(!proves_itself("postgresql://127.0.0.1,[::1]/shop"));
    BOOST_TEST(!proves_itself("postgresql:///shop?host=/run/postgresql"));
    BOOST_TEST(!proves_itself("postgresql:///shop"));
    BOOST_TEST(!proves_itself("postgresql://db.example/shop?sslmode=require"));
}

// What the string leaves out is in libpq's environment.
BOOST_AUTO_TEST_CASE(a_server_that_the_environment_names_has_to_as_well) {
    for (const char* name : {"PGHOST", "PGHOSTADDR"}) {
        ::setenv(name, "192.0.2.1", 1);
        BOOST_TEST(proves_itself("postgresql:///shop"), name);
        ::unsetenv(name);
    }
    ::setenv("PGHOST", "localhost", 1);
    BOOST_TEST(!proves_itself("postgresql:///shop"));
    ::unsetenv("PGHOST");
    BOOST_TEST(proves_itself("postgresql:///shop?service=shop"));
}

BOOST_AUTO_TEST_CASE(each_host_has_settings_of_its_own) {
    postgres_options options;
    options.connection = "postgresql://a:1,b:2,c:3/shop?hostaddr=192.0.2.1,192.0.2.2,192.0.2.3";
    std::string found;
    for (const connection_settings& one : settings_of_hosts(settings_of(options).value())) {
        found += name_of(one) + ' ';
        for (const keyword& it : one.keywords) {
            if (it.name == "port" || it.name == "hostaddr") found += it.value + ' ';
        }
    }
    BOOST_TEST(found ==
               "postgresql:a/shop 192.0.2.1 1 postgresql:b/shop 192.0.2.2 2 "
               "postgresql:c/shop 192.0.2.3 3 ");
    options.connection = "postgresql:///shop";
    BOOST_TEST(settings_of_hosts(settings_of(options).value()).size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_transaction_that_was_left_open_is_not_gone_on_with, shop) {
    const auto db = std::move(connect_to_primary(settings_of(options()).value()).value().db);
    const auto read_only = [&db] {
        std::string out;
        snapshot_questions about(*db);
        about.ask("SELECT current_setting('transaction_read_only')", {}, [&](const rows& found) {
            out = found.bytes(0, 0);
            return result<void>();
        });
        BOOST_TEST(about.run().has_value());
        return out;
    };
    questions left(*db);
    left.tell("BEGIN");
    left.ask("SELECT 1", {}, [](const rows&) -> result<void> { throw std::bad_alloc(); });
    BOOST_CHECK_THROW((void)left.run(), std::bad_alloc);
    BOOST_TEST(read_only() == "on");
    BOOST_TEST(read_only() == "on");
}
