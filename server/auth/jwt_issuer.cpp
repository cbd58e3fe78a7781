#include "auth/jwt_issuer.hpp"

#include "auth/api_key.hpp"
#include "auth/strict_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>
#include <utility>

namespace orderproc::server::auth {

namespace json = boost::json;

namespace {

constexpr std::string_view https_scheme = "https://";
constexpr std::string_view file_scheme = "file:/";

failure bad_issuer(const jwt_issuer& it, const std::string& why) {
    return {errc::invalid_argument, "issuer \"" + it.issuer + "\": " + why};
}

// "id.example" of https://id.example:8443/realms/shop; empty: it is no such URL.
std::string host_of(std::string_view url) {
    if (!url.starts_with(https_scheme)) return {};
    url.remove_prefix(https_scheme.size());
    std::string out(url.substr(0, url.find_first_of("/:?#")));
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

result<void> check(const jwt_issuer& it) {
    if (it.issuer.empty()) return bad_issuer(it, "there has to be an issuer");
    if (!is_key_name(it.name)) {
        return bad_issuer(it, it.name.empty()
                                  ? "it is no https:// URL, so it needs a name"
                                  : "the name \"" + it.name +
                                        "\" is not 1 to 64 lower-case letters, digits, \".\", "
                                        "\"_\" or \"-\": give it another one");
    }
    if (it.audience.empty()) return bad_issuer(it, "there has to be an audience");
    if (!it.keys.starts_with(file_scheme) && !it.keys.starts_with(https_scheme)) {
        return bad_issuer(
            it, "keys come from file:/PATH or https://HOST/PATH, not from \"" + it.keys + "\"");
    }
    if (it.algorithms.empty()) return bad_issuer(it, "there has to be an algorithm");
    for (const std::string& one : it.algorithms) {
        if (find_jwt_algorithm(one)) continue;
        return bad_issuer(it, "unknown algorithm \"" + one + "\": expected ES256, EdDSA or RS256");
    }
    if (it.scope_claim.empty()) return bad_issuer(it, "there has to be a claim for the scopes");
    if (!it.user_claim.empty() && !it.tenant_claim.empty()) {
        return bad_issuer(it, "principals are bound to a user or to a tenant, not to both");
    }
    return {};
}

// What is read of one member. All throws are caught by parse_jwt_issuers().
void read_member(std::string_view name, const json::value& from, jwt_issuer& to) {
    constexpr std::array<std::pair<std::string_view, std::string jwt_issuer::*>, 7> texts{{
        {"issuer", &jwt_issuer::issuer},
        {"name", &jwt_issuer::name},
        {"audience", &jwt_issuer::audience},
        {"keys", &jwt_issuer::keys},
        {"scope_claim", &jwt_issuer::scope_claim},
        {"user_claim", &jwt_issuer::user_claim},
        {"tenant_claim", &jwt_issuer::tenant_claim},
    }};
    for (const auto& [known, member] : texts) {
        if (name != known) continue;
        to.*member = std::string(from.as_string());
        return;
    }
    if (name == "algorithms") {
        to.algorithms.clear();
        for (const json::value& it : from.as_array()) to.algorithms.emplace_back(it.as_string());
    } else if (name == "allow_private") {
        to.allow_private = from.as_bool();
    } else {
        throw std::invalid_argument("unknown");
    }
}

}  // namespace

bool jwt_issuer::takes(jwt_algorithm it) const noexcept {
    return std::find(algorithms.begin(), algorithms.end(), to_string(it)) != algorithms.end();
}

result<void> complete(std::vector<jwt_issuer>& all) {
    if (all.size() > jwt_issuers_max) {
        return failure{errc::invalid_argument, "there are at most 16 issuers"};
    }
    for (jwt_issuer& it : all) {
        if (it.name.empty()) it.name = host_of(it.issuer);
        if (auto ok = check(it); !ok) return ok;
        for (const jwt_issuer& other : all) {
            if (&other == &it) break;
            if (other.issuer == it.issuer) return bad_issuer(it, "it is there twice");
            if (other.name == it.name) {
                return bad_issuer(it, "another one has the name \"" + it.name +
                                          "\": give one of them another name");
            }
        }
    }
    return {};
}

result<std::vector<jwt_issuer>> parse_jwt_issuers(std::string_view text) {
    const auto parsed = parse_strictly(text);
    if (!parsed || !parsed->is_array()) {
        return failure{errc::invalid_argument, "it is no JSON array of issuers"};
    }
    std::vector<jwt_issuer> out;
    for (const json::value& it : parsed->get_array()) {
        if (!it.is_object()) {
            return failure{errc::invalid_argument, "it is no JSON array of issuers"};
        }
        jwt_issuer& made = out.emplace_back();
        for (const auto& member : it.get_object()) {
            const std::string name(member.key());
            try {
                read_member(name, member.value(), made);
            } catch (const std::bad_alloc&) {
                throw;
            } catch (const std::exception&) {
                return failure{errc::invalid_argument,
                               "issuer " + std::to_string(out.size()) + ": the member \"" + name +
                                   "\" is unknown, or has a value of another type"};
            }
        }
    }
    return out;
}

}  // namespace orderproc::server::auth
