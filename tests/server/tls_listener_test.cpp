// When a certificate is taken, and who hears of it.

#include "tls/tls_listener.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
namespace fs = std::filesystem;

namespace {

struct files {
    files() {
        EVP_PKEY* const key = EVP_EC_gen("P-256");
        X509* const certificate = X509_new();
        X509_set_version(certificate, 2);
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_sign(certificate, key, EVP_sha256());
        std::FILE* to = std::fopen(names.certificate.c_str(), "w");
        PEM_write_X509(to, certificate);
        std::fclose(to);
        to = std::fopen(names.key.c_str(), "w");
        PEM_write_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(to);
        X509_free(certificate);
        EVP_PKEY_free(key);
        readable_by_others(false);
    }
    ~files() { fs::remove_all(folder); }
    void readable_by_others(bool yes) const {
        fs::permissions(names.key, yes ? fs::perms(0604) : fs::perms(0600));
    }

    static std::string make_folder() {
        std::string out = (fs::temp_directory_path() / "orderproc-tls-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(out.data()) != nullptr);
        return out;
    }
    const std::string folder = make_folder();
    const tls::certificate_files names{folder + "/server.pem", folder + "/server.key", {}, {}};
    std::vector<std::string> told;

    std::unique_ptr<tls::listener> open(std::chrono::milliseconds kept) {
        tls::listener_options options;
        options.thread = false;
        options.kept = kept;
        options.reloaded = [this](const failure* why) {
            told.push_back(why ? "not taken" : "taken");
        };
        return tls::listener::open(names, std::move(options)).value();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(certificates, files)

// The files are the same, and yet: the certificate may have ended, or the key become everybody's.
BOOST_AUTO_TEST_CASE(one_that_can_no_longer_be_taken_is_told_once) {
    const auto it = open(std::chrono::milliseconds(0));
    it->look();
    BOOST_TEST(told.empty());
    readable_by_others(true);
    it->look();
    it->look();
    BOOST_TEST(told == std::vector<std::string>{"not taken"}, boost::test_tools::per_element());
    readable_by_others(false);
    it->look();
    it->look();
    BOOST_TEST((told == std::vector<std::string>{"not taken", "taken"}));
}

BOOST_AUTO_TEST_CASE(what_is_loaded_and_not_old_is_left_alone) {
    const auto it = open(std::chrono::hours(24));
    readable_by_others(true);
    it->look();
    BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(its_end_is_known) {
    const auto made = std::chrono::system_clock::now();
    const auto left = open(std::chrono::hours(24))->ends_at() - made;
    BOOST_TEST((left > std::chrono::minutes(0)));
    BOOST_TEST((left <= std::chrono::minutes(60)));
}

BOOST_AUTO_TEST_SUITE_END()
