// The model that a storage keeps: who may bring it, and how it is replaced.

#include "cli/stored_model.hpp"

#include "cli/model_migration.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using testing::fault;
using testing::fault_call;

namespace {

constexpr const char* note = R"({"name":"note","type":"text","size_max":64})";
constexpr const char* indexed_note =
    R"({"name":"note","type":"text","size_max":64,"indexed":true})";
constexpr const char* size = R"(,{"name":"size","type":"integer"})";

shop_model model_with(const std::string& attributes) {
    return shop_model_of(R"({"orders":{"attributes":[)" + attributes + "]}}").value();
}

// Into a storage that has the model.
void create(storage& orders, const std::string& id) {
    const auto model = load_model(orders).value();
    engine_options options;
    options.threads = 0;
    options.stored_model = record_of(model);
    engine by(orders, model.statuses, model.orders, system_runtime(), options);
    const auto outcome =
        by.execute(testing::order_builder{}.id(id).attribute("note", std::string("x")).submit());
    BOOST_REQUIRE_MESSAGE(!outcome.ec, outcome.detail);
}

std::size_t found_by_note(storage& orders) {
    const auto model = load_model(orders).value();
    const attribute_rule& rule = *model.orders.find("note");
    const std::string value = order_model::index_value(rule, std::string("x"), "USD");
    list_params params;
    params.limit = 1000;
    params.index = index_condition{rule.slot, value, value};
    return orders.connect_reader().value()->list(params).value().orders.size();
}

std::string refusal(result<shop_model> opened) {
    return opened ? "opened" : opened.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_storage_without_a_model_has_the_standard_one) {
    const auto orders = make_memory_storage();
    const auto model = open_model(*orders, std::nullopt);
    BOOST_REQUIRE(model);
    BOOST_TEST(model->version == 0U);
    BOOST_TEST(difference(*model, shop_model_of("{}").value()) == "");
    BOOST_TEST(!record_of(*model));
    // That of the option, if it says the same, is not worth a record.
    BOOST_TEST(open_model(*orders, shop_model_of("{}").value())->version == 0U);
}

BOOST_AUTO_TEST_CASE(scopes_of_events_are_those_that_there_are_and_may_change) {
    const auto with_scope = [](const std::string& scope) {
        return shop_model_of(R"({"statuses":{"initial":"A","transitions":[{"from":["A"],)"
                             R"("event":"go","to":"B","open_to_clients":true,"scope":")" +
                             scope + R"("}],"stages":[]}})");
    };
    for (const char* unknown : {"admin", "orders:read", "metrics"}) {
        const auto refused = with_scope(unknown);
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().detail ==
                   "#/statuses: go: its scope must be one of orders:write, operate, erase, not \"" +
                       std::string(unknown) + "\"");
    }
    const auto orders = make_memory_storage();
    BOOST_REQUIRE(open_model(*orders, with_scope("operate").value()));
    BOOST_TEST(refusal(open_model(*orders, with_scope("erase").value()))
                   .find("go needs the scope erase") != std::string::npos);
    const auto done = migrate_model(*orders, with_scope("erase").value(), [](std::uint64_t) {});
    BOOST_REQUIRE(done);
    BOOST_TEST(done->changes == "go needs the scope erase");
    BOOST_TEST(load_model(*orders)->statuses.find("go")->scope == "erase");
}

BOOST_AUTO_TEST_CASE(an_empty_storage_takes_the_first_model_and_keeps_it) {
    const auto orders = make_memory_storage();
    const auto first = open_model(*orders, model_with(note));
    BOOST_REQUIRE(first);
    BOOST_TEST(first->version >= 1U);
    BOOST_TEST(open_model(*orders, std::nullopt)->version == first->version);
    BOOST_TEST(open_model(*orders, model_with(note))->version == first->version);
    BOOST_TEST(record_of(*first)->version == first->version);

    const std::string has = "--model: the storage has another model: ";
    BOOST_TEST(refusal(open_model(*orders, model_with(std::string(note) + size)))
                   .starts_with(has + "size is new. "));
    BOOST_TEST(refusal(open_model(*orders, model_with(indexed_note)))
                   .starts_with(has + "note is indexed. "));
    BOOST_TEST(refusal(open_model(*orders, shop_model_of("{}").value()))
                   .starts_with(has + "note is gone. "));
    BOOST_TEST(
        refusal(open_model(*orders, shop_model_of(R"({"statuses":{"initial":"PENDING"}})").value()))
            .find("PENDING –cancel→ CANCELLED is gone") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_storage_with_orders_takes_no_other_model) {
    const auto orders = make_memory_storage();
    engine_options options;
    options.threads = 0;
    {
        engine by(*orders, status_machine::standard(), system_runtime(), options);
        BOOST_REQUIRE(!by.execute(testing::order_builder{}.id("A").submit()).ec);
        BOOST_REQUIRE(!by.execute(testing::erase("A")).ec);  // there was one
    }
    BOOST_TEST(refusal(open_model(*orders, model_with(note)))
                   .starts_with("--model: the storage has another model: the standard one, under "
                                "which it has orders: note is new. "));
    BOOST_TEST(!load_model(*orders)->version);
}

BOOST_AUTO_TEST_CASE(a_model_that_this_version_cannot_read_is_no_model) {
    const auto orders = make_memory_storage();
    auto writer = orders->connect_writer().value();
    const change_record what{record_action::create, std::string(model_collection),
                             std::string(model_key), 0, R"({"orders":{"novelty":1}})"};
    write_params params;
    params.writer = "test";
    params.records = {&what, 1};
    record_outcome outcome;
    write_results results{};
    results.records = {&outcome, 1};
    BOOST_REQUIRE(writer->write(params, results));
    const auto model = open_model(*orders, std::nullopt);
    BOOST_REQUIRE(!model);
    BOOST_TEST((model.error().code == errc::corrupt));
    BOOST_TEST(model.error().detail.find("#/orders/novelty") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_record_is_read_as_the_next_model_of_the_same_machine) {
    const auto orders = make_memory_storage();
    const auto model = open_model(*orders, model_with(note)).value();
    const auto from = record_of(model).value();
    const auto next = model_with(std::string(note) + size);
    BOOST_TEST(from.read(to_json(next.orders, next.statuses))->find("size") != nullptr);
    BOOST_TEST(from.read("{").error().detail.starts_with("line 1"));
    BOOST_TEST(from.read(R"({"statuses":{"initial":"PENDING"}})").error().detail.find("is gone") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_migration_stores_what_may_follow) {
    const auto orders = make_memory_storage();
    const auto first = migrate_model(*orders, model_with(note), [](std::uint64_t) {});
    BOOST_REQUIRE(first);
    BOOST_TEST(first->changes == "note is new");
    create(*orders, "A");
    const auto next = model_with(std::string(note) + size);
    BOOST_TEST(check_model_migration(*orders, next)->changes == "size is new");
    BOOST_TEST(load_model(*orders)->version == first->version);  // it was only asked for
    const auto done =
        migrate_model(*orders, model_with(std::string(note) + size), [](std::uint64_t) {});
    BOOST_REQUIRE(done);
    BOOST_TEST(done->version > first->version);
    BOOST_TEST(done->refreshed == 0U);
    const auto again =
        migrate_model(*orders, model_with(std::string(note) + size), [](std::uint64_t) {});
    BOOST_TEST(again->changes == "");
    BOOST_TEST(again->version == done->version);
    // Attributes do not go, and statuses do not change.
    BOOST_TEST((migrate_model(*orders, model_with(note), [](std::uint64_t) {}).error().detail ==
                "--model: orders that are there keep the rules that they have: size is gone"));
    auto other = shop_model_of(R"({"statuses":{"initial":"OPEN"}})").value();
    BOOST_TEST(
        check_model_migration(*orders, other)
            .error()
            .detail.starts_with(
                "--model: orders that are there have these statuses: the initial status changed"));
}

BOOST_AUTO_TEST_CASE(orders_that_are_there_are_found_by_a_new_index) {
    const auto orders = make_memory_storage();
    BOOST_REQUIRE(open_model(*orders, model_with(note)));
    for (int i = 0; i < 300; ++i) create(*orders, "A-" + std::to_string(i));
    std::vector<std::uint64_t> told;
    const auto done = migrate_model(*orders, model_with(indexed_note),
                                    [&](std::uint64_t it) { told.push_back(it); });
    BOOST_REQUIRE_MESSAGE(done, done.error().detail);
    BOOST_TEST(done->changes == "note is indexed");
    BOOST_TEST(done->refreshed == 300U);
    BOOST_TEST(!done->resumed);
    BOOST_TEST(told.back() == 300U);
    BOOST_TEST(found_by_note(*orders) == 300U);
    BOOST_TEST(!is_model_migration_unfinished(*orders).value());
}

BOOST_AUTO_TEST_CASE(a_migration_that_was_interrupted_goes_on_where_it_was) {
    const auto inner = make_memory_storage();
    testing::fault_storage orders(*inner);
    BOOST_REQUIRE(open_model(orders, model_with(note)));
    for (int i = 0; i < 300; ++i) create(orders, "A-" + std::to_string(i));
    // The model and the mark of a first page are written, then the storage is gone.
    for (const fault it : {fault::none, fault::none, fault::none, fault::unavailable}) {
        orders.next(fault_call::write, it);
    }
    BOOST_TEST(!migrate_model(orders, model_with(indexed_note), [](std::uint64_t) {}));
    BOOST_TEST(is_model_migration_unfinished(orders).value());
    BOOST_TEST(found_by_note(orders) == 256U);
    const auto done = migrate_model(orders, model_with(indexed_note), [](std::uint64_t) {});
    BOOST_REQUIRE(done);
    BOOST_TEST(done->resumed);
    BOOST_TEST(done->refreshed == 44U);
    BOOST_TEST(found_by_note(orders) == 300U);
    BOOST_TEST(!is_model_migration_unfinished(orders).value());
}
