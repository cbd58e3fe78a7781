#include <orderproc/changed_orders.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

using namespace orderproc;
using orderproc::testing::edit;
using orderproc::testing::erase;
using orderproc::testing::order_builder;

namespace {

// Between a look at the feed and the rows something may happen.
class interrupted final : public repository_reader {
public:
    explicit interrupted(repository_reader& inner) : inner_(inner) {}

    result<loaded_orders> load(const load_params& params) override {
        if (before_load) std::exchange(before_load, nullptr)();
        return inner_.load(params);
    }
    result<order_page> list(const list_params& params) override { return inner_.list(params); }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return inner_.history(params);
    }
    result<feed_page> read_feed(const feed_params& params) override {
        ++looks;
        return inner_.read_feed(params);
    }
    result<feed_position> find_position(timestamp at) override {
        return finds ? inner_.find_position(at) : repository_reader::find_position(at);
    }
    result<statistics> count() override { return inner_.count(); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return inner_.find_cursor(name);
    }

    std::function<void()> before_load;
    bool finds = true;
    int looks = 0;

private:
    repository_reader& inner_;
};

struct fixture {
    static engine_options by_hand() {
        engine_options out;
        out.threads = 0;
        return out;
    }
    void create(const std::string& id, std::int64_t user = 1) {
        BOOST_REQUIRE(!orders.execute(order_builder().id(id).user(user).submit()).ec);
    }
    void touch(const std::string& id) {
        const order as =
            order_builder().metadata(R"({"n":)" + std::to_string(++edits) + "}").build();
        BOOST_REQUIRE(!orders.execute(edit(id, as)).ec);
    }
    changed_page page(const changed_params& params) { return list_changed(reads, params).value(); }
    static std::string ids(const changed_page& of) {
        std::string out;
        for (const order& it : of.orders) {
            out.append(out.empty() ? "" : " ").append(it.id.view());
        }
        return out;
    }

    orderproc::testing::manual_clock time;
    orderproc::testing::seeded_random random;
    observer nobody;
    std::unique_ptr<storage> stored = make_memory_storage();
    engine orders{*stored, status_machine::standard(), runtime{time, random, nobody}, by_hand()};
    std::unique_ptr<repository_reader> inner = stored->connect_reader().value();
    interrupted reads{*inner};
    changed_params all{timestamp::min()};
    int edits = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(changed_orders, fixture)

BOOST_AUTO_TEST_CASE(each_is_shown_once_by_its_last_change) {
    BOOST_TEST(ids(page(all)) == "");
    for (const char* id : {"A", "B", "C", "D"}) create(id);
    touch("B");
    touch("A");
    touch("B");
    BOOST_REQUIRE(!orders.execute(erase("D")).ec);
    const changed_page got = page(all);
    BOOST_TEST(ids(got) == "C A B");
    BOOST_TEST(!got.next);
    BOOST_TEST(got.newest.offset == 8U);
    BOOST_TEST(got.orders[2].metadata == R"({"n":3})");
}

BOOST_AUTO_TEST_CASE(it_starts_at_a_time) {
    for (const char* id : {"A", "B", "C"}) {
        create(id);
        time.advance(std::chrono::seconds(1));
    }
    touch("A");
    const timestamp now = time.now();
    BOOST_TEST(ids(page({now - std::chrono::seconds(2)})) == "B C A");
    BOOST_TEST(ids(page({now - std::chrono::milliseconds(1999)})) == "C A");
    BOOST_TEST(ids(page({now})) == "A");
    BOOST_TEST(ids(page({now + std::chrono::milliseconds(1)})) == "");
}

BOOST_AUTO_TEST_CASE(pages_join) {
    for (int i = 0; i < 150; ++i) create("A-" + std::to_string(i));
    for (int i = 0; i < 150; i += 2) touch("A-" + std::to_string(i));
    for (const std::size_t limit : {1U, 7U, 75U, 150U, 1000U}) {
        all.filter.limit = limit;
        all.after.reset();
        std::vector<std::string> found;
        do {
            const changed_page got = page(all);
            BOOST_TEST(got.orders.size() <= limit);
            BOOST_TEST((got.orders.size() == limit || !got.next));
            for (const order& it : got.orders) found.emplace_back(it.id.view());
            all.after = got.next;
        } while (all.after);
        BOOST_REQUIRE_EQUAL(found.size(), 150U);
        BOOST_TEST(found[0] == "A-1");
        BOOST_TEST(found[74] == "A-149");
        BOOST_TEST(found[75] == "A-0");
        BOOST_TEST(found[149] == "A-148");
    }
}

// It is the last entry that was read, and there is nothing behind it when that is looked for.
BOOST_AUTO_TEST_CASE(what_changes_while_a_page_is_read_is_not_skipped) {
    for (const char* id : {"A", "B", "C"}) create(id);
    reads.before_load = [this] { touch("C"); };
    BOOST_TEST(ids(page(all)) == "A B C");
    all.filter.limit = 2;
    reads.before_load = [this] {
        touch("A");
        touch("B");
    };
    const changed_page first = page(all);
    BOOST_TEST(ids(first) == "C A");
    all.after = first.next;
    BOOST_TEST(ids(page(all)) == "B");
}

BOOST_AUTO_TEST_CASE(filters_are_those_of_lists) {
    create("A-1", 1);
    create("A-2", 2);
    create("B-1", 1);
    time.advance(std::chrono::seconds(1));
    create("B-2", 2);
    all.filter.scope.user = "2";
    BOOST_TEST(ids(page(all)) == "A-2 B-2");
    all.filter.id_prefix = "B";
    BOOST_TEST(ids(page(all)) == "B-2");
    all.filter.scope = {};
    all.filter.created_until = time.now();
    BOOST_TEST(ids(page(all)) == "B-1");
    const order_status wanted[] = {"CANCELLED"};
    all.filter.statuses = wanted;
    BOOST_TEST(ids(page(all)) == "");
}

BOOST_AUTO_TEST_CASE(a_page_looks_at_so_many_entries) {
    for (int i = 0; i < 100; ++i) create("A-" + std::to_string(i), i == 99 ? 2 : 1);
    all.filter.scope.user = "2";
    all.entries_max = 40;
    for (const std::uint64_t offset : {40U, 80U}) {
        const changed_page got = page(all);
        BOOST_TEST(ids(got) == "");
        BOOST_REQUIRE(got.next.has_value());
        BOOST_TEST(got.next->offset == offset);
        all.after = got.next;
    }
    const changed_page last = page(all);
    BOOST_TEST(ids(last) == "A-99");
    BOOST_TEST(!last.next);
}

BOOST_AUTO_TEST_CASE(what_it_cannot_do_it_says) {
    create("A");
    all.entries_max = 0;
    BOOST_TEST((list_changed(reads, all).error().code == errc::invalid_argument));
    all.entries_max = 1;
    all.filter.limit = 0;
    const changed_page nothing = page(all);
    BOOST_TEST(ids(nothing) == "");
    BOOST_TEST(!nothing.next);
    all.filter.limit = 1;
    all.after = feed_position{9, 1};
    BOOST_TEST(page(all).reset);
    all.after.reset();
    reads.finds = false;
    BOOST_TEST((list_changed(reads, all).error().code == errc::not_supported));
}

BOOST_AUTO_TEST_SUITE_END()
