// `orderproc doctor`: what is not as it should be, of a storage and a server.

#include "api/checks.hpp"
#include "cli/order_text.hpp"
#include "cli/server_command.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "text/terminal_text.hpp"

#include <orderproc/json_text.hpp>
#include <orderproc/runtime.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

namespace js = boost::json;

struct doctor_settings {
    storage_settings storage;
    server_settings server;
    bool asks_server = false;  // --url was given
    std::vector<std::string> only;
    bool strict = false;
};

enum class diagnosis : std::uint8_t { ok, warning, problem, unknown };

struct diagnosed {
    std::string code, subject, text;
    diagnosis state = diagnosis::ok;
};

const char* word_of(diagnosis it) {
    switch (it) {
        case diagnosis::ok:
            return "ok";
        case diagnosis::warning:
            return "warning";
        case diagnosis::problem:
            return "problem";
        case diagnosis::unknown:
            break;
    }
    return "unknown";
}

// What `orderproc doctor` looks at beside the table of checks.
constexpr std::string_view storage_code = "storage";
constexpr std::string_view server_code = "server";

class doctor {
public:
    explicit doctor(const doctor_settings& with) : with_(with) {}

    int run() {
        look_at_storage();
        if (with_.asks_server) look_at_server();
        std::size_t problems = 0, warnings = 0;
        for (const diagnosed& it : found_) {
            problems += it.state == diagnosis::problem || it.state == diagnosis::unknown ? 1 : 0;
            warnings += it.state == diagnosis::warning ? 1 : 0;
            print(it);
        }
        if (!with_.server.json) {
            std::printf("%zu problems, %zu warnings\n", problems, warnings);
        }
        return problems > 0 || (with_.strict && warnings > 0) ? 1 : 0;
    }

private:
    bool wanted(std::string_view code) const {
        return with_.only.empty() ||
               std::find(with_.only.begin(), with_.only.end(), code) != with_.only.end();
    }
    void add(std::string_view code, std::string_view subject, diagnosis state, std::string text) {
        if (!wanted(code)) return;
        found_.push_back({std::string(code), std::string(subject), std::move(text), state});
    }

    void look_at_storage() {
        auto orders = with_.storage.open();
        if (!orders) return cannot_read(orders.error());
        const storage_info info = (*orders)->info();
        for (const std::string& it : info.remarks) {
            add(storage_code, "storage", diagnosis::warning, it);
        }
        const auto done = look_in(**orders);
        if (!done) return cannot_read(done.error());
        add(storage_code, "storage", diagnosis::ok,
            info.name + (info.durable ? " can be read" : " can be read, and keeps nothing"));
        if (auto closed = (*orders)->close(); !closed) {
            add(storage_code, "storage", diagnosis::warning, closed.error().message());
        }
    }

    void cannot_read(const failure& why) {
        add(storage_code, "storage", diagnosis::problem, why.message());
        for (const check& it : all_checks()) {
            if (it.needs_storage) {
                add(it.code, it.subject, diagnosis::unknown, "the storage cannot be read");
            }
        }
    }

    result<void> look_in(storage& orders) {
        const auto model = load_model(orders);
        if (!model) return model.error();
        auto reader = orders.connect_reader();
        if (!reader) return std::move(reader).error();
        const timestamp now = system_runtime().time.now();
        const auto facts = read_stored_facts(**reader, model->statuses, now);
        if (!facts) return facts.error();
        const check_input in{{}, &*facts, model->statuses, now};
        for (const check& it : all_checks()) {
            if (!it.needs_storage) continue;
            const auto found = it.look(it, in);
            const bool bad = it.severity == finding_severity::problem;
            for (const finding& one : found) {
                add(it.code, it.subject, bad ? diagnosis::problem : diagnosis::warning, one.text);
            }
            if (found.empty()) add(it.code, it.subject, diagnosis::ok, "nothing was found");
        }
        return {};
    }

    // The checks of a process are the server's own to carry out.
    void look_at_server() {
        const auto ask = [this](const server_command& by) {
            judge(by.ask("GET", "/readyz"));
            return 0;
        };
        if (with_server(with_.server, ask) != 0) {
            add(server_code, "server", diagnosis::problem, "cannot be asked");
        }
    }

    void judge(const result<fetch_response>& got) {
        if (!got) return add(server_code, "server", diagnosis::problem, got.error().detail);
        boost::system::error_code ec;
        const js::value whole = js::parse(got->body, ec);
        const auto* const state = ec ? nullptr : whole.if_object();
        const auto* const codes = state ? state->if_contains("codes") : nullptr;
        if (codes && codes->is_array()) {
            for (const js::value& it : codes->get_array()) {
                if (!it.is_string()) continue;
                const std::string_view code(it.get_string());
                const check* row = find_check(code);
                add(code, row ? row->subject : "server",
                    got->status == 200 ? diagnosis::warning : diagnosis::problem,
                    with_.server.url + " says: " + printable(code));
            }
            return;
        }
        const bool ready = got->status == 200 && state;
        add(server_code, "server", ready ? diagnosis::ok : diagnosis::problem,
            with_.server.url +
                (ready ? " is ready" : " answered with status " + std::to_string(got->status)));
    }

    void print(const diagnosed& it) const {
        if (with_.server.json) {
            std::string out = R"({"code":)";
            append_json_string(it.code, out);
            out += R"(,"subject":)";
            append_json_string(it.subject, out);
            out += R"(,"state":)";
            append_json_string(word_of(it.state), out);
            out += R"(,"text":)";
            append_json_string(it.text, out);
            std::printf("%s}\n", printable_json(out).c_str());
            return;
        }
        const char* const mark = it.state == diagnosis::problem ? "FAIL" : word_of(it.state);
        std::printf("%-8s %-13s %s\n", mark, printable(it.subject).c_str(),
                    printable(it.text).c_str());
    }

    const doctor_settings& with_;
    std::vector<diagnosed> found_;
};

int run_doctor(const doctor_settings& with) {
    for (const std::string& it : with.only) {
        if (it == storage_code || it == server_code || find_check(it)) continue;
        return fail({errc::invalid_argument, "--only: there is no check \"" + it + "\""});
    }
    return doctor(with).run();
}

}  // namespace

void add_doctor(command_line to) {
    auto* command = to.app.add_subcommand("doctor", "Says what is not as it should be");
    const auto with = std::make_shared<doctor_settings>();
    with->storage.add_to(*command);
    with->server.add_to(*command);
    add_setting(*command, "only", with->only, "A check to carry out; repeat it for more")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->default_str("");  // not "[]"
    add_setting(*command, "strict", with->strict, "Exit with 1 for warnings, too");
    command->callback([&run = to.run, command, with] {
        with->asks_server = command->get_option("--url")->count() > 0;
        run = [with] { return run_doctor(*with); };
    });
}

}  // namespace orderproc::server
