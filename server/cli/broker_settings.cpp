#include "cli/broker_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/values.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/wake_ups.hpp>

#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

bool has_password(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == url.npos) return false;
    const std::string_view authority =
        url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    const auto at = authority.rfind('@');
    return at != authority.npos && authority.substr(0, at).find(':') != authority.npos;
}

result<std::string> read_url(const std::string& path) {
    std::ifstream in(path);
    if (!in) return failure{errc::invalid_argument, "\"" + path + "\" cannot be read"};
    std::string out;
    std::getline(in, out);
    out.erase(out.find_last_not_of(" \t\r") + 1);
    if (out.empty()) {
        return failure{errc::invalid_argument, "\"" + path + "\" has no line with a broker's URL"};
    }
    return out;
}

}  // namespace

void broker_settings::add_to(CLI::App& command) {
    option_ = add_setting(command, "broker", url_,
                          "none, amqp://HOST[:PORT][/VHOST], amqps://… or memory: (this process). "
                          "With a password: from the environment or --broker-file only");
    add_setting(command, "broker-file", file_, "A file whose first line is the URL for --broker");
    add_setting(command, "broker-ca", ca_file_,
                "PEM file of who vouches for an amqps:// broker; empty: whom this machine trusts");
}

void broker_settings::command_line_read() {
    const char* environment = std::getenv("ORDERPROC_BROKER");
    in_sight_ = option_->count() > 0 && (!environment || url_ != environment);
}

result<std::unique_ptr<broker>> broker_settings::open() const {
    if (in_sight_ && has_password(url_)) {
        return failure{errc::invalid_argument,
                       "a password on the command line is there for all to see: put the URL into "
                       "ORDERPROC_BROKER or into a file for --broker-file"};
    }
    if (!file_.empty() && url_ != "none") {
        return failure{errc::invalid_argument, "--broker and --broker-file: one of them"};
    }
    const char* const option = file_.empty() ? "--broker" : "--broker-file";
    const result<std::string> url =
        file_.empty() ? result<std::string>(url_) : of_option(option, read_url(file_));
    if (!url) return url.error();
    if (!ca_file_.empty() && url->starts_with("amqp://")) {
        return failure{errc::invalid_argument, "--broker-ca is for amqps:// brokers"};
    }
    return of_option(option, open_broker(*url, ca_file_));
}

result<std::unique_ptr<running_relay>> running_relay::start(engine& orders, reader& journal,
                                                            broker* to,
                                                            std::chrono::milliseconds give_way) {
    std::unique_ptr<running_relay> out;
    if (!to) return out;
    out.reset(new running_relay);
    relay_options options;
    options.format = write_cloud_event;
    options.queues = {work_queue(orders.machine())};
    options.give_way = give_way;
    out->relay_ = std::make_unique<relay>(orders, journal, *to, std::move(options));
    if (auto started = out->relay_->start(); !started) return started.error();
    return out;
}

}  // namespace orderproc::server
