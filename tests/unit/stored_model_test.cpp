// An engine whose model is stored: each write depends on it, and a newer one is loaded.

#include "engine_fixture.hpp"

#include <stdexcept>
#include <string>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

constexpr std::string_view collection = "orderproc";
constexpr std::string_view key = "model";

// Models by the text that stands for them: "1" has a note, "2" a size as well, which by default is
// "small"; "another" is no successor of these.
result<order_model> model_of(std::string_view text) {
    order_rules rules;
    attribute_rule note{"note", attribute_type::text};
    note.size_max = 64;
    attribute_rule size{"size", attribute_type::choice};
    size.choices = {"small", "large"};
    size.default_value = std::string("small");
    if (text == "1") {
        rules.attributes = {note};
    } else if (text == "2") {
        rules.attributes = {note, size};
    } else if (text == "indexed") {
        note.indexed = true;
        rules.attributes = {note, size};
    } else if (text == "another") {
        rules.attributes = {size};
    } else if (text == "throw") {
        throw std::runtime_error("no memory for it");
    } else {
        return failure{errc::invalid_argument, "it is no model"};
    }
    return order_model::build(std::move(rules));
}

struct modelled : fixture {
    explicit modelled(std::size_t writers = 1) : fixture(writers) { put("1"); }

    // Stores the text as the next version of the record, past the engine.
    void put(const std::string& text) {
        change_record what{stored ? record_action::replace : record_action::create,
                           std::string(collection), std::string(key), version(), text};
        write([&](write_params& params) { params.records = {&what, 1}; });
    }
    void remove() {
        const change_record what{record_action::remove, std::string(collection), std::string(key),
                                 version()};
        write([&](write_params& params) { params.records = {&what, 1}; });
    }
    std::uint64_t version() const { return stored ? stored->version : 0; }

    engine_options options(std::size_t threads = 0) const {
        engine_options out = threads == 0 ? by_hand() : threaded(threads);
        out.stored_model =
            model_record{std::string(collection), std::string(key), version(), model_of};
        return out;
    }
    std::string attributes_of(std::string_view id) {
        for (const order& it : orders.orders()) {
            if (it.id.view() != id) continue;
            std::string out;
            for (const order_attribute& has : it.attributes) {
                out += has.name + "=" + std::get<std::string>(has.value) + ";";
            }
            return out;
        }
        return "no such order";
    }

    const order_model first = model_of("1").value();
    std::optional<record> stored;

private:
    template <class Fill>
    void write(const Fill& fill) {
        auto connection = orders.connect_writer().value();
        write_params params;
        params.now = time.now();
        params.writer = "another process";
        params.sequence = ++sequence_;
        fill(params);
        record_outcome outcome;
        write_results results{};
        results.records = {&outcome, 1};
        BOOST_REQUIRE(connection->write(params, results));
        BOOST_REQUIRE(!outcome.ec);
        stored = outcome.present;
    }

    std::uint64_t sequence_ = 0;
};

command noted(std::string_view id, std::string_view note) {
    return testing::order_builder{}.id(id).attribute("note", std::string(note)).submit();
}

std::string refusal_of(const engine_options& options, const fixture& at, storage& orders,
                       const order_model& model) {
    try {
        const engine it(orders, at.machine, model, at.with, options);
    } catch (const std::invalid_argument& why) {
        return why.what();
    }
    return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_write_depends_on_the_stored_model) {
    modelled at;
    engine it(at.orders, at.machine, at.first, at.with, at.options());
    BOOST_TEST(!it.execute(noted("A", "x")).ec);
    BOOST_TEST((at.orders.guards().back() == seen_guard{"orderproc", "model", at.version()}));
    BOOST_TEST(&it.model() == &at.first);

    engine free(at.orders, at.machine, at.first, at.with, by_hand());
    BOOST_TEST(!free.execute(noted("B", "x")).ec);
    BOOST_TEST((at.orders.guards().back() == seen_guard{}));
}

BOOST_AUTO_TEST_CASE(a_newer_model_is_loaded_before_the_write_is_made) {
    modelled at;
    engine it(at.orders, at.machine, at.first, at.with, at.options());
    recorder& create = at.ask(it, noted("A", "x"));
    recorder& other = at.ask(it, noted("B", "y"));
    at.put("2");
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST(!create.ec());
    BOOST_TEST(!other.ec());
    // As if they had been asked for under the new model.
    BOOST_TEST(at.attributes_of("A") == "note=x;size=small;");
    BOOST_TEST(&it.model() != &at.first);
    BOOST_TEST(it.model().find("size") != nullptr);
    BOOST_TEST(at.first.find("note") != nullptr);
    BOOST_TEST(at.watch.errors.empty());
    BOOST_TEST((at.orders.guards().back() == seen_guard{"orderproc", "model", at.version()}));

    // Commands that come now are judged by it, and those that were lowered before it came in later.
    BOOST_TEST(
        !it.execute(
               testing::order_builder{}.id("C").attribute("size", std::string("large")).submit())
             .ec);
    BOOST_TEST(at.attributes_of("C") == "size=large;");
}

BOOST_AUTO_TEST_CASE(what_was_queued_under_an_earlier_model_is_written_under_the_present_one) {
    modelled at;
    engine_options one = at.options();
    one.batch_max = 1;
    engine it(at.orders, at.machine, at.first, at.with, one);
    at.ask(it, noted("A", "x"));
    at.ask(it, noted("B", "y"));
    at.put("2");
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(at.attributes_of("B") == "note=y;size=small;");
    // Two refusals would have been three writes more.
    BOOST_TEST(at.seen().size() == 5U);
}

BOOST_AUTO_TEST_CASE(an_edit_gets_the_new_defaults_as_well) {
    modelled at;
    engine it(at.orders, at.machine, at.first, at.with, at.options());
    BOOST_TEST(!it.execute(noted("A", "x")).ec);
    recorder& edit = at.ask(
        it,
        testing::edit("A", testing::order_builder{}.attribute("note", std::string("z")).build()));
    at.put("2");
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(!edit.ec());
    BOOST_TEST(at.attributes_of("A") == "note=z;size=small;");
}

BOOST_AUTO_TEST_CASE(a_model_that_cannot_be_loaded_lets_nothing_be_written) {
    const auto detail_with = [](const std::string& text) {
        modelled at;
        engine it(at.orders, at.machine, at.first, at.with, at.options());
        text.empty() ? at.remove() : at.put(text);
        const change_outcome outcome = it.execute(noted("A", "x"));
        BOOST_TEST((outcome.ec == errc::unavailable));
        BOOST_TEST(at.orders.orders().empty());
        BOOST_TEST(at.watch.errors == names{"engine.write: " + outcome.detail},
                   boost::test_tools::per_element());
        BOOST_TEST(&it.model() == &at.first);
        // It is asked for again with each write, so that a correction helps.
        if (!text.empty()) {
            at.put("2");
            BOOST_TEST(!it.execute(noted("A", "x")).ec);
        }
        return outcome.detail;
    };
    const std::string cannot = "the stored order model cannot be loaded: ";
    const auto begins = [&](const std::string& text, const std::string& rest) {
        const std::string detail = detail_with(text);
        BOOST_TEST(detail.starts_with(cannot + rest), detail);
    };
    begins("another", "note is gone");
    begins("nonsense", "it is no model");
    begins("throw", "no memory for it");
    begins("", "there is no record of it any more");
    begins("indexed", "a model with indexes needs");
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_asked_for_again) {
    modelled at;
    engine it(at.orders, at.machine, at.first, at.with, at.options());
    at.put("2");
    at.orders.fail_reads(1);
    BOOST_TEST((it.execute(noted("A", "x")).ec == errc::unavailable));
    BOOST_TEST(!it.execute(noted("A", "x")).ec);
    BOOST_TEST(at.attributes_of("A") == "note=x;size=small;");
}

BOOST_AUTO_TEST_CASE(a_change_with_a_model_of_its_own_keeps_it) {
    modelled at;
    engine it(at.orders, at.machine, at.first, at.with, at.options());
    const order_model own = model_of("1").value();
    change what = lower(noted("A", "x"), at.machine, at.with, own).value();
    at.put("2");
    recorder done;
    BOOST_REQUIRE(it.submit(std::move(what), done));
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(!done.ec());
    BOOST_TEST(at.attributes_of("A") == "note=x;");
}

BOOST_AUTO_TEST_CASE(writers_load_a_model_once_for_all) {
    modelled at(2);
    engine_options two = at.options(2);
    std::atomic<int> reads{0};
    two.stored_model->read = [&](std::string_view text) {
        ++reads;
        return model_of(text);
    };
    engine it(at.orders, at.machine, at.first, at.with, two);
    at.put("2");
    at.orders.hold("A");
    recorder& a = at.ask(it, noted("A", "x"));
    at.orders.wait_for_held();
    BOOST_TEST(!it.execute(noted("B", "y")).ec);  // the other writer has loaded it
    at.orders.let_go();
    BOOST_TEST(!a.wait().ec);
    BOOST_TEST(reads == 1);
    BOOST_TEST(at.attributes_of("A") == "note=x;size=small;");
}

BOOST_AUTO_TEST_CASE(what_a_stored_model_needs_is_demanded_at_the_beginning) {
    modelled at;
    engine_options options = at.options();
    options.stored_model->version = 0;
    BOOST_TEST(refusal_of(options, at, at.orders, at.first) ==
               "engine_options::stored_model: a version and a function that reads it");
    options = at.options();
    options.stored_model->read = {};
    BOOST_TEST(refusal_of(options, at, at.orders, at.first) ==
               "engine_options::stored_model: a version and a function that reads it");
    options = at.options();
    options.stored_model->collection.clear();
    BOOST_TEST(
        refusal_of(options, at, at.orders, at.first).starts_with("engine_options::stored_model: "));
    at.orders.capabilities = {};
    BOOST_TEST(
        refusal_of(at.options(), at, at.orders, at.first).starts_with("a stored model needs"));
}
