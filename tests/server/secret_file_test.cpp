// Files with keys: who may read them, and how much of them is read.

#include "text/secret_file.hpp"

#include "text/secret_text.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

using namespace orderproc;
using namespace orderproc::server;

namespace {

struct folder {
    folder() {
        std::string made = (std::filesystem::temp_directory_path() / "secret-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(made.data()));
        at = made;
    }
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(at, ignored);
    }
    std::string file(const std::string& text, mode_t mode = 0600) const {
        const std::string path = (at / "key").string();
        std::ofstream(path, std::ios::binary) << text;
        BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        return path;
    }
    std::filesystem::path at;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(secret_files, folder)

BOOST_AUTO_TEST_CASE(are_read_whole) {
    const std::string text("one\r\ntwo\0\n", 10);
    BOOST_TEST(read_secret_file(file(text), 10).value() == text);
    BOOST_TEST(read_secret_file(file(""), 10).value().empty());
    BOOST_TEST(read_secret_file(file(text, 0640), 10).value() == text);
}

BOOST_AUTO_TEST_CASE(are_refused_if_they_are_none) {
    const auto why = [](const std::string& path, std::size_t size_max = 10) {
        const auto got = read_secret_file(path, size_max);
        BOOST_REQUIRE(!got);
        BOOST_TEST((got.error().code == errc::invalid_argument));
        BOOST_TEST(got.error().detail.starts_with(path + ": "));
        return got.error().detail.substr(path.size() + 2);
    };
    BOOST_TEST(why(file("0123456789"), 9) == "has more than 9 bytes");
    BOOST_TEST(why(file("x", 0644)).starts_with("has the mode 0644"));
    BOOST_TEST(why((at / "nothing").string()) == "cannot be read");
    BOOST_REQUIRE(::chmod(at.c_str(), 0700) == 0);
    BOOST_TEST(why(at.string()) == "cannot be read");
}

BOOST_AUTO_TEST_CASE(digests_have_a_text_and_are_compared_whole) {
    const std::array<std::byte, 3> bytes{std::byte{0}, std::byte{0x9a}, std::byte{0xff}};
    BOOST_TEST(hex_of(bytes) == "009aff");
    BOOST_TEST(equal_in_constant_time("abc", "abc"));
    BOOST_TEST(equal_in_constant_time("", ""));
    for (const char* other : {"abd", "bbc", "ab", "abcd", ""}) {
        BOOST_TEST(!equal_in_constant_time("abc", other));
    }
}

BOOST_AUTO_TEST_SUITE_END()
