#ifndef ORDERPROC_TESTS_SERVER_ASK_ITEMS_HPP
#define ORDERPROC_TESTS_SERVER_ASK_ITEMS_HPP

#include <orderproc/items.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

// Asks for the ids in decimal form; those that may not be ordered.
inline result<std::vector<std::int64_t>> ask(item_checker& by,
                                             const std::vector<std::int64_t>& ids) {
    std::vector<std::string> texts;
    for (const std::int64_t id : ids) texts.push_back(std::to_string(id));
    std::sort(texts.begin(), texts.end());
    const std::vector<std::string_view> skus(texts.begin(), texts.end());
    std::vector<std::size_t> unknown;
    if (auto told = by.check(skus, unknown); !told) {
        BOOST_TEST(unknown.empty());
        return std::move(told).error();
    }
    std::vector<std::int64_t> out;
    for (const std::size_t at : unknown) out.push_back(std::stoll(texts.at(at)));
    return out;
}

}  // namespace orderproc::server::testing

#endif
