#include "cli/order_client.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

struct row {
    unsigned status;
    std::string retry_after;
    int tried;
    std::optional<std::chrono::milliseconds> pause;  // none: that is the answer
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.status << ", " << it.retry_after << ", tried " << it.tried;
}

const std::vector<row> rows{
    {200, "", 1, {}},
    {201, "1", 1, {}},
    {301, "1", 1, {}},
    {400, "1", 1, {}},
    {401, "", 1, {}},
    {404, "", 1, {}},
    {409, "1", 1, {}},
    {422, "", 1, {}},
    {500, "", 1, {}},
    {408, "", 1, 200ms},
    {425, "", 1, 200ms},
    {429, "", 1, 200ms},
    {502, "", 1, 200ms},
    {503, "", 1, 200ms},
    {504, "", 1, 200ms},
    {503, "", 4, 1600ms},
    {503, "", 5, {}},
    {503, "0", 1, 0ms},
    {503, "10", 1, 10s},
    {503, "10", 5, {}},
    {503, "11", 1, {}},  // not earlier than asked, and nobody waits so long
    {503, "soon", 1, 200ms},
    {503, "Fri, 31 Dec 1999 23:59:59 GMT", 1, 0ms},
    {503, "Fri, 31 Dec 9999 23:59:59 GMT", 1, {}},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_passes_is_asked_again_after_a_while, data::make(rows), it) {
    fetch_response got;
    got.status = it.status;
    if (!it.retry_after.empty()) got.fields = {{"Retry-After", it.retry_after}};
    BOOST_TEST((order_client::pause_before_next(got, it.tried) == it.pause));
}

BOOST_AUTO_TEST_CASE(no_answer_is_asked_for_once_more) {
    const result<fetch_response> none = failure{errc::unavailable, "away"};
    BOOST_TEST((order_client::pause_before_next(none, 1) == 200ms));
    BOOST_TEST(!order_client::pause_before_next(none, 2));
    const result<fetch_response> bad = failure{errc::invalid_argument, "cannot be sent"};
    BOOST_TEST(!order_client::pause_before_next(bad, 1));
}
