#ifndef ORDERPROC_TESTS_SERVER_TEST_CERTIFICATES_HPP
#define ORDERPROC_TESTS_SERVER_TEST_CERTIFICATES_HPP

// Certificates of a CA of one's own, made in memory and written to files that go with the test.

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace orderproc::server::testing {

struct certificate_names {
    std::string common;       // CN of the subject
    std::string alternative;  // such as "DNS:shop.example,IP:127.0.0.1"; empty: none
    std::string usage = "serverAuth";
    long begins = -3600, ends = 3600;  // seconds from now
};

class authority {
public:
    struct files {
        std::string certificate, key;
    };

    explicit authority(const std::string& name = "ca")
        : folder_(std::filesystem::temp_directory_path() / "orderproc-certificates-XXXXXX") {
        if (!::mkdtemp(folder_.data())) throw std::runtime_error("no folder for certificates");
        key_ = new_key();
        own_ = make({name, {}, {}}, key_.get(), nullptr);
        own_files_ = write(name, own_.get(), key_.get());
    }
    ~authority() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;

    std::string certificate() const { return own_files_.certificate; }
    files issue(const certificate_names& names) {
        const auto key = new_key();
        const auto made = make(names, key.get(), own_.get());
        return write(std::to_string(++issued_), made.get(), key.get());
    }
    files self_signed(const certificate_names& names) {
        const auto key = new_key();
        const auto made = make(names, key.get(), nullptr);
        return write(std::to_string(++issued_), made.get(), key.get());
    }

private:
    using key_pointer = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
    using certificate_pointer = std::unique_ptr<X509, void (*)(X509*)>;

    static key_pointer new_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

    // issuer nullptr: signed by its own key.
    certificate_pointer make(const certificate_names& names, EVP_PKEY* key, X509* issuer) {
        certificate_pointer out(X509_new(), X509_free);
        X509* const it = out.get();
        X509_set_version(it, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(it), names.begins);
        X509_gmtime_adj(X509_getm_notAfter(it), names.ends);
        X509_set_pubkey(it, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(names.common.c_str()), -1,
                                   -1, 0);
        X509_set_issuer_name(it, X509_get_subject_name(issuer ? issuer : it));
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer ? issuer : it, it, nullptr, nullptr, 0);
        const bool is_authority = names.usage.empty();
        extend(it, context, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
        extend(it, context, NID_subject_key_identifier, "hash");
        if (!is_authority) extend(it, context, NID_ext_key_usage, names.usage);
        if (!names.alternative.empty()) {
            extend(it, context, NID_subject_alt_name, names.alternative);
        }
        X509_sign(it, issuer ? key_.get() : key, EVP_sha256());
        return out;
    }

    static void extend(X509* it, X509V3_CTX& context, int id, const std::string& value) {
        X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
        if (!made) throw std::runtime_error("a certificate cannot have " + value);
        X509_add_ext(it, made, -1);
        X509_EXTENSION_free(made);
    }

    files write(const std::string& name, X509* certificate, EVP_PKEY* key) const {
        const files out{folder_ + "/" + name + ".pem", folder_ + "/" + name + ".key"};
        if (std::FILE* const to = std::fopen(out.certificate.c_str(), "w")) {
            PEM_write_X509(to, certificate);
            std::fclose(to);
        }
        if (std::FILE* const to = std::fopen(out.key.c_str(), "w")) {
            PEM_write_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr);
            std::fclose(to);
        }
        ::chmod(out.key.c_str(), 0600);
        return out;
    }

    std::string folder_;
    long serial_ = 0;
    int issued_ = 0;
    key_pointer key_{nullptr, EVP_PKEY_free};
    certificate_pointer own_{nullptr, X509_free};
    files own_files_;
};

}  // namespace orderproc::server::testing

#endif
