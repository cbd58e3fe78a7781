// A stranger's program with every warning on: it implements each interface and instantiates each
// template, since a compiler warns about a template only where it is used. Compiled, never run.

#include <orderproc/asio.hpp>
#include <orderproc/coroutine.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/items.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace {

// None of these is final: the destructor that each inherits must do.
class told : public orderproc::completion {
public:
    void complete(orderproc::change_outcome&) noexcept override {}
};

class claimed : public orderproc::claim_completion {
public:
    void complete(orderproc::error_code, orderproc::claim_outcome&) noexcept override {}
};

class moved : public orderproc::cursor_completion {
public:
    void complete(const orderproc::cursor_outcome&) noexcept override {}
};

class asked : public orderproc::item_completion {
public:
    void complete(orderproc::error_code, std::span<const std::size_t>) noexcept override {}
};

class listener : public orderproc::commit_listener {
public:
    void committed() noexcept override {}
};

class watcher : public orderproc::observer {
public:
    void transition_committed(const orderproc::transition_report&) noexcept override {}
};

boost::asio::awaitable<orderproc::verdict> work(const orderproc::order&, std::stop_token) {
    co_return orderproc::advance{"complete"};
}

}  // namespace

int main() {
    told first;
    claimed second;
    moved third;
    asked fourth;
    listener fifth;
    static_cast<void>(first);
    static_cast<void>(second);
    static_cast<void>(third);
    static_cast<void>(fourth);
    fifth.committed();

    const auto stored = orderproc::make_memory_storage();
    watcher watch;
    orderproc::testing::manual_clock time;
    orderproc::testing::seeded_random random;
    orderproc::engine orders(*stored, orderproc::status_machine::standard(), {time, random, watch});
    boost::asio::io_context context;
    const auto processor = orderproc::make_coroutine_processor(context.get_executor(), work);
    orderproc::worker works(orders, *processor);

    orderproc::command create;
    create.what = orderproc::submit_order{};
    auto made = orderproc::async_submit(orders, std::move(create), boost::asio::use_future);
    orderproc::reader reads(*stored);
    const auto found = reads.use([](orderproc::repository_reader& from) { return from.load({}); });
    return found && made.get().ec ? 1 : 0;
}
