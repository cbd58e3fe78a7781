#ifndef ORDERPROC_SERVER_CLI_REFUSAL_HPP
#define ORDERPROC_SERVER_CLI_REFUSAL_HPP

// What the command line says when it refuses something: the option, the value, and no secrets.

#include <orderproc/error.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

// The text without what may be a password in it. Of "scheme://user:password@host" and
// "scheme:user:password@host" everything between the scheme and the last "@" is replaced, and so
// is the query of a URL. Rather too much is replaced than too little. All that is printed as a
// refusal goes through here.
std::string without_secrets(std::string_view text);

// The same result; a failure says which option it is about: "--lease: …".
template <class Value>
result<Value> of_option(std::string_view name, result<Value> value) {
    if (value) return value;
    failure why = std::move(value).error();
    if (why.code == errc::invalid_argument) why.detail = std::string(name) + ": " + why.detail;
    return why;
}

}  // namespace orderproc::server

#endif
