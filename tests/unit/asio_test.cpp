#include "scripted_storage.hpp"

#include <orderproc/asio.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace orderproc;
using namespace orderproc::tests;

namespace {

struct fixture {
    scripted_storage orders;
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    runtime with{time, random, nobody};
    engine by_hand{orders,
                   status_machine::standard(),
                   with,
                   {.queue_max = 8192, .batch_max = 512, .threads = 0, .resolve_attempts = 10}};
    asio::io_context io;
};

// Counts what it has given out.
template <class T>
struct counting_allocator {
    using value_type = T;
    struct counts {
        int taken = 0, held = 0;
    };
    explicit counting_allocator(counts& into) noexcept : to(&into) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) noexcept
        : to(reinterpret_cast<counts*>(other.to)) {}
    T* allocate(std::size_t n) {
        ++to->taken;
        ++to->held;
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* it, std::size_t n) noexcept {
        --to->held;
        std::allocator<T>().deallocate(it, n);
    }
    template <class U>
    bool operator==(const counting_allocator<U>& other) const noexcept {
        return static_cast<void*>(to) == static_cast<void*>(other.to);
    }
    counts* to;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_callback_is_called_on_its_executor, fixture) {
    std::optional<change_outcome> got;
    async_submit(by_hand, create("A"), asio::bind_executor(io, [&](change_outcome out) {
                     BOOST_TEST(io.get_executor().running_in_this_thread());
                     got = std::move(out);
                 }));
    BOOST_TEST(io.poll() == 0U);
    BOOST_TEST(!io.stopped());  // work is outstanding
    BOOST_TEST(by_hand.run_once().value() == 1U);
    BOOST_TEST(!got.has_value());
    BOOST_TEST(io.run() == 1U);  // and none is left
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(!got->ec);
    BOOST_TEST((got->after->id.view() == "A"));
}

BOOST_FIXTURE_TEST_CASE(a_refusal_does_not_call_back_at_once, fixture) {
    by_hand.stop();
    std::optional<error_code> got;
    async_submit(by_hand, create("A"),
                 asio::bind_executor(io, [&](change_outcome out) { got = out.ec; }));
    BOOST_TEST(!got.has_value());
    io.run();
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(*got == errc::stopped);
}

BOOST_FIXTURE_TEST_CASE(it_does_not_call_back_from_within_even_on_the_executor, fixture) {
    by_hand.stop();
    bool inside = false, called_inside = true;
    asio::post(io, [&] {
        inside = true;
        async_submit(by_hand, create("A"),
                     asio::bind_executor(io, [&](change_outcome) { called_inside = inside; }));
        inside = false;
    });
    io.run();
    BOOST_TEST(!called_inside);
}

BOOST_FIXTURE_TEST_CASE(a_strand_is_kept_to, fixture) {
    auto strand = asio::make_strand(io);
    int count = 0;
    for (int i = 0; i < 10; ++i) {
        async_submit(by_hand, create("N" + std::to_string(i)),
                     asio::bind_executor(strand, [&](change_outcome out) {
                         BOOST_TEST(strand.running_in_this_thread());
                         BOOST_TEST(!out.ec);
                         ++count;
                     }));
    }
    BOOST_TEST(by_hand.run_once().value() == 10U);
    io.run();
    BOOST_TEST(count == 10);
}

BOOST_FIXTURE_TEST_CASE(a_future, fixture) {
    engine threaded(orders, status_machine::standard(), with);
    std::future<change_outcome> got = async_submit(threaded, create("A"), asio::use_future);
    BOOST_TEST(!got.get().ec);
    std::future<change_outcome> again = async_submit(threaded, create("A"), asio::use_future);
    BOOST_TEST(again.get().ec == errc::already_exists);
}

BOOST_FIXTURE_TEST_CASE(a_coroutine, fixture) {
    engine threaded(orders, status_machine::standard(), with);
    std::exception_ptr thrown;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 20; ++i) {
                const std::string id = "N" + std::to_string(i);
                command first = create(id);
                const change_outcome made =
                    co_await async_submit(threaded, std::move(first), asio::use_awaitable);
                BOOST_TEST(!made.ec);
                BOOST_TEST(io.get_executor().running_in_this_thread());
                command second = raise(id, "cancel");
                const change_outcome moved =
                    co_await async_submit(threaded, std::move(second), asio::use_awaitable);
                BOOST_TEST((moved.after->status == order_status("CANCELLED")));
            }
        },
        [&](std::exception_ptr e) { thrown = e; });
    io.run();
    BOOST_TEST(!thrown);
    BOOST_TEST(orders.orders().size() == 20U);
}

BOOST_FIXTURE_TEST_CASE(deferred_submits_when_it_is_started, fixture) {
    auto later = async_submit(by_hand, create("A"), asio::deferred);
    BOOST_TEST(by_hand.queued() == 0U);
    bool called = false;
    std::move(later)(asio::bind_executor(io, [&](change_outcome out) { called = !out.ec; }));
    BOOST_TEST(by_hand.run_once().value() == 1U);
    io.run();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(its_memory_is_the_handlers_and_given_back_before_the_call, fixture) {
    counting_allocator<char>::counts counts;
    int held_inside = -1;
    async_submit(by_hand, create("A"),
                 asio::bind_allocator(
                     counting_allocator<char>(counts),
                     asio::bind_executor(io, [&](change_outcome) { held_inside = counts.held; })));
    BOOST_TEST(counts.taken == 1);
    BOOST_TEST(counts.held == 1);
    BOOST_TEST(by_hand.run_once().value() == 1U);
    io.run();
    BOOST_TEST(held_inside == 0);
    BOOST_TEST(counts.taken == 1);
}

BOOST_FIXTURE_TEST_CASE(a_type_erased_handler, fixture) {
    bool called = false;
    asio::any_completion_handler<void(change_outcome)> handler =
        asio::bind_executor(io, [&, only = std::make_unique<int>(1)](change_outcome out) {
            called = !out.ec && *only == 1;
        });
    async_submit(by_hand, create("A"), std::move(handler));
    BOOST_TEST(by_hand.run_once().value() == 1U);
    io.run();
    BOOST_TEST(called);
}

// Perhaps from within, since such a handler's executor can only dispatch; but once.
BOOST_FIXTURE_TEST_CASE(a_refused_type_erased_handler_is_called_once, fixture) {
    by_hand.stop();
    int called = 0;
    asio::post(io, [&] {
        asio::any_completion_handler<void(change_outcome)> handler =
            asio::bind_executor(io, [&](change_outcome out) { called += out.ec == errc::stopped; });
        async_submit(by_hand, create("A"), std::move(handler));
    });
    io.run();
    BOOST_TEST(called == 1);
}

BOOST_FIXTURE_TEST_CASE(a_refused_command_says_why, fixture) {
    command bad = create("A");
    std::get<submit_order>(bad.what).value.item_ids.clear();
    std::string detail;
    async_submit(by_hand, std::move(bad), asio::bind_executor(io, [&](change_outcome out) {
                     BOOST_TEST(out.ec == errc::invalid_argument);
                     detail = std::move(out.detail);
                 }));
    io.run();
    BOOST_TEST(detail == "item_ids must have 1 to 1000 entries");
}

// The sanitizer sees whether anything is left.
BOOST_FIXTURE_TEST_CASE(an_executor_that_goes_first_takes_the_handler_with_it, fixture) {
    auto resource = std::make_shared<int>(1);
    {
        asio::io_context gone;
        async_submit(by_hand, create("A"), asio::bind_executor(gone, [resource](change_outcome) {
                         BOOST_ERROR("nobody ran this");
                     }));
        BOOST_TEST(by_hand.run_once().value() == 1U);
    }
    BOOST_TEST(resource.use_count() == 1);
}

BOOST_FIXTURE_TEST_CASE(from_a_pool, fixture) {
    asio::thread_pool pool(2);  // outlives the engine, which posts to it
    engine threaded(orders, status_machine::standard(), with);
    std::atomic<int> good{0};
    for (int i = 0; i < 100; ++i) {
        async_submit(threaded, create("N" + std::to_string(i)),
                     asio::bind_executor(pool, [&](change_outcome out) { good += !out.ec; }));
    }
    pool.join();  // the operations are its work
    BOOST_TEST(good == 100);
}
