// A stranger's plugin that uses the library inside: it exports one function and nothing of ours.

#include <orderproc/engine.hpp>
#include <orderproc/json.hpp>
#include <orderproc/sqlite.hpp>

#include <cstdio>

using namespace orderproc;

namespace {

class watcher : public observer {
public:
    void transition_committed(const transition_report&) noexcept override {}
};

}  // namespace

extern "C" __attribute__((visibility("default"))) int take_order(const char* path) {
    const auto orders = open_sqlite({.path = path}).value();
    watcher watch;
    engine writes(*orders, status_machine::standard(), system_runtime(watch));
    submit_order submit;
    submit.value.user = "123";
    submit.value.item_ids = {1001};
    submit.value.total_amount = {14999, "USD"};
    const change_outcome made = writes.execute({.what = std::move(submit)});
    if (made.ec) return 1;
    std::printf("%s\n", to_json(*made.after).c_str());
    std::fflush(stdout);
    return 0;
}
