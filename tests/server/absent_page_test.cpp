// A build without npm: the server works, and /docs and / say what is absent and how to get it.

#include "api_fixture.hpp"
#include "docs/pages.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

BOOST_FIXTURE_TEST_SUITE(absent_page, api_fixture)

BOOST_AUTO_TEST_CASE(the_page_says_so) {
    const answer got = get("/docs");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Content-Type").value_or("") == "text/html; charset=utf-8");
    BOOST_TEST(got.find("Content-Security-Policy").has_value());
    BOOST_TEST(got.says("Swagger UI is not in this build"));
    BOOST_TEST(got.says("npm"));
    BOOST_TEST(!got.says("<script"));
    for (const page& it : pages()) BOOST_TEST(it.path.find("swagger") == it.path.npos, it.path);
    for (const char* path : {"/docs/style.css", "/docs/icon.svg"}) {
        BOOST_TEST(get(path).status == 200, path);
    }
    BOOST_TEST(get("/docs/swagger-ui-bundle.js").status == 404);
}

BOOST_AUTO_TEST_CASE(the_operators_page_says_so_too) {
    const answer got = get("/");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Content-Security-Policy").has_value());
    BOOST_TEST(got.says("The operator's page is not in this build"));
    BOOST_TEST(got.says("npm"));
    BOOST_TEST(!got.says("<script"));
    BOOST_TEST(get("/dashboard/app.js").status == 404);
}

BOOST_AUTO_TEST_CASE(all_else_is_there) {
    const auto api = boost::json::parse(get("/openapi.json").body);
    BOOST_TEST((api.as_object() == documentation::standard().root()));
    BOOST_TEST(create("A-1").status == 201);
    BOOST_TEST(get("/orders/A-1").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
