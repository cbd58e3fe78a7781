#ifndef ORDERPROC_TESTS_SERVER_AUTH_FIXTURE_HPP
#define ORDERPROC_TESTS_SERVER_AUTH_FIXTURE_HPP

// Keys over a storage in memory, with a clock that the test moves.

#include "auth/authenticator.hpp"
#include "auth/key_admin.hpp"
#include "auth/key_table.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

inline http::address_bytes address(const char* text) {
    return http::bytes_of(boost::asio::ip::make_address(text));
}

struct key_errors final : observer {
    void error(std::string_view where, const failure& what) noexcept override {
        texts.push_back(std::string(where) + ": " + what.message());
    }
    std::vector<std::string> texts;
};

struct auth_fixture {
    auth::key_admin::made_key make(std::string name, auth::scope_set scopes,
                                   void (*change)(auth::api_key&) = nullptr) {
        auth::api_key wanted;
        wanted.name = std::move(name);
        wanted.scopes = scopes;
        if (change) change(wanted);
        auto made = admin.create(std::move(wanted), "test");
        BOOST_REQUIRE(made.has_value());
        return std::move(*made);
    }
    void refresh() { BOOST_REQUIRE(table.refresh(*reads).has_value()); }
    auth::key_verdict find(std::string_view text, const char* from = "192.0.2.1") {
        return table.find(text, address(from));
    }

    orderproc::testing::manual_clock clock;
    orderproc::testing::seeded_random random;
    key_errors errors;
    runtime with{clock, random, errors};
    std::unique_ptr<storage> store = make_memory_storage();
    std::unique_ptr<repository> writer = store->connect_writer().value();
    std::unique_ptr<repository_reader> reads = store->connect_reader().value();
    auth::key_admin admin{*writer, with, {"cli:anna"}};
    auth::key_table table{with};
};

}  // namespace orderproc::server::testing

#endif
