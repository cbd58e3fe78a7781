// Creating orders: ids, numbers, what is kept.

#include "testing/kit.hpp"

#include <limits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void created_order_is_stored_as_sent(bench& b) {
    order sent = sample("C-1", 42);
    sent.item_ids = {3, 1, 3, 9223372036854775807};
    sent.total_amount = {money::minor_units_max, "KWD"};
    sent.metadata = R"({"a":[1,2.50,"x"], "b":null})";
    const order made = b.done(b.create(sent));
    sent.number = made.number;
    sent.status = b.machine().initial();
    sent.created_at = sent.updated_at = b.now();
    expect(made.number >= 1, "an order has number " + show(made.number));
    expect_same("the outcome of create", sent, made);
    expect_same("load()", sent, b.find("C-1"));
    const auto listed = b.list({});
    expect_equal("orders listed", std::size_t{1}, listed.size());
    expect_same("list()", sent, listed.front());
    const auto entries = b.history("C-1");
    expect_equal("entries of a new order", std::size_t{1}, entries.size());
    expect_same("the journal", sent, entries.front().after);
}

// What every reading method says of an order is what was made of it.
void expect_kept(bench& b, const order& made) {
    const std::string id = id_of(made);
    expect_same("load()", made, b.find(id));
    const auto listed = b.list({});
    expect_equal("orders listed", std::size_t{1}, listed.size());
    expect_same("list()", made, listed.front());
    expect_same("the journal", made, b.history(id).back().after);
    expect_same("the feed", made, b.feed().back().after);
}

void content_of_every_kind_is_kept(bench& b) {
    order sent = sample("C-2");
    sent.user = "7f3c\"Ω";
    sent.item_ids.clear();
    sent.lines = {{"TEA/green 250g", 2, amount{499}, "Grüner Tee"},
                  {std::string(order_line::sku_size_max, 's'), order_line::quantity_max, {}, {}},
                  {"TEA/green 250g", 1, amount{0}, {}}};
    sent.tenant = "north";
    sent.attributes = {{"amount", amount{money::minor_units_max}},
                       {"gift", true},
                       {"number", std::numeric_limits<std::int64_t>::min()},
                       {"text", "it's \"naïve\" — 注文"},
                       {"wanted_at", b.now() + seconds(5)}};
    sent.annotations = R"({"carrier": "post", "n":[1,2]})";
    const order made = b.done(b.create(sent));
    expect_equal("user", sent.user, made.user);
    expect_equal("lines", sent.lines, made.lines);
    expect_equal("tenant", sent.tenant, made.tenant);
    expect_equal("attributes", sent.attributes, made.attributes);
    expect_equal("annotations", sent.annotations, made.annotations);
    expect_kept(b, made);
    const change cancel = b.raise("C-2", "cancel");
    const order after = b.done(cancel);
    expect_equal("attributes after a transition", sent.attributes, after.attributes);
    expect_kept(b, after);
}

void users_of_every_kind_are_told_apart(bench& b) {
    const std::vector<std::string> users{"",
                                         "0",
                                         "1",
                                         "01",
                                         "-1",
                                         "+1",
                                         "1.0",
                                         " 1",
                                         "a",
                                         "café",
                                         "A",
                                         "9223372036854775807",
                                         "9223372036854775808",
                                         std::string(64, 'x')};
    std::vector<change> creates;
    for (std::size_t i = 0; i < users.size(); ++i) {
        order it = sample("u" + std::to_string(i));
        it.user = users[i];
        creates.push_back(b.create(it));
    }
    for (const auto& made : b.write(std::move(creates))) expect_ok("a create", made);
    for (std::size_t i = 0; i < users.size(); ++i) {
        const std::string id = "u" + std::to_string(i);
        expect_equal("the user of " + id, users[i], b.found(id).user);
        list_params theirs;
        theirs.scope.user = users[i];
        expect_equal("orders of user " + show(users[i]), std::vector<std::string>{id},
                     ids_of(b.list(theirs)));
    }
}

// Ids that lower() does not give to new orders yet, but that a storage has to take.
void ids_of_every_kind_are_kept(bench& b) {
    const std::vector<std::string> ids{
        std::string(order_id::size_max, '7'), "a b/c?d=%2F#e", "'--", "注文-１", "_", "-", "{\"}"};
    for (const std::string& id : ids) {
        change what = b.create("plain");
        what.order = id;
        std::get<create_order>(what.action).value.id = value("an id", order_id::parse(id));
        const order made = b.done(what);
        expect_equal("the id", id, id_of(made));
        expect_same("load()", made, b.find(id));
        expect_same("the journal", made, b.history(id).back().after);
        expect_refused("a second create", errc::already_exists, b.write(what));
        b.done(b.erase(id));
        expect_refused("a create with a deleted order's id", errc::already_exists, b.write(what));
    }
}

void duplicate_id_is_refused(bench& b) {
    const order first = b.created("D-1", 1);
    b.advance(seconds(1));
    const auto again = b.write(b.create("D-1", 2));
    expect_refused("a second create", errc::already_exists, again);
    expect_same("the order that refused it", first, again.after);
    expect_same("the first order", first, b.find("D-1"));
    expect_equal("entries", std::size_t{1}, b.history("D-1").size());
}

void duplicate_of_anothers_order_is_not_shown(bench& b) {
    b.created("D-1", 1);
    change again = b.create("D-1", 2);
    again.scope.user = "2";
    const auto refused = b.write(std::move(again));
    expect_refused("another user's create", errc::already_exists, refused);
    expect(!refused.after, "another user's order is shown to one who may not see it");
}

void deleted_id_stays_taken(bench& b) {
    b.created("D-1");
    b.done(b.erase("D-1"));
    const auto again = b.write(b.create("D-1"));
    expect_refused("a create with a deleted order's id", errc::already_exists, again);
    expect(!again.after, "a deleted order is shown as the one that refused");
    expect(!b.find("D-1"), "the refused create left an order");
}

void ids_are_told_apart_by_case_and_end(bench& b) {
    b.created("abc");
    b.created("ABC");
    b.created("abc.");
    b.created("ab");
    expect(!b.find("aBc"), "load() finds an id in another case");
    expect(!b.find("a"), "load() finds the beginning of an id");
    expect_equal("orders", std::size_t{4}, b.list({}).size());
}

void numbers_ascend_and_are_never_given_twice(bench& b) {
    std::int64_t last = 0;
    const auto check = [&last](const order& made) {
        expect(made.number > last, "order " + id_of(made) + " has number " + show(made.number) +
                                       " after number " + show(last));
        last = made.number;
    };
    check(b.created("N-1"));
    check(b.created("N-2"));
    b.done(b.erase("N-2"));  // the highest number goes
    check(b.created("N-3"));
    (void)b.write(b.create("N-1"));  // refused
    check(b.created("N-4"));
    std::vector<change> many;
    for (int i = 0; i < 50; ++i) many.push_back(b.create("N-m" + std::to_string(i)));
    for (const auto& outcome : b.write(std::move(many))) {
        expect_ok("one create of many", outcome);
        check(*outcome.after);
    }
}

void largest_order_is_kept_whole(bench& b) {
    order sent = sample(std::string(order_id::plain_size_max, 'x'), 9223372036854775807);
    sent.item_ids.clear();
    for (std::size_t i = 0; i < order::items_max; ++i) {
        sent.item_ids.push_back(9223372036854775807 - static_cast<std::int64_t>(i * i));
    }
    sent.metadata = "{\"t\":\"";
    while (sent.metadata.size() + 12 < order::metadata_size_max) sent.metadata += "aé€𝄞\\u0001";
    sent.metadata += "\"}";
    const order made = b.done(b.create(sent));
    expect_equal("items", sent.item_ids, made.item_ids);
    expect_same("load()", made, b.find(id_of(sent)));
    expect_equal("metadata", sent.metadata, b.found(id_of(sent)).metadata);
    expect_same("the journal", made, b.history(id_of(sent)).front().after);
    const order smallest = sample("s");
    const order small = b.done(b.create(smallest));
    expect_same("load()", small, b.find("s"));
}

void words_are_kept_byte_for_byte(bench& b) {
    const std::string words = "it's \"naïve\" — 注文 %s \\ \n\t; DROP TABLE orders; --";
    b.created("W-1");
    change move = b.raise("W-1", "cancel", words);
    move.actor = words;
    move.traceparent = words;
    std::get<transition_order>(move.action).last_error = words;
    const order after = b.done(std::move(move));
    expect_equal("last_error", words, after.last_error);
    expect_same("load()", after, b.find("W-1"));
    const journal_entry last = b.history("W-1").back();
    expect_equal("the entry's reason", words, last.reason);
    expect_equal("the entry's actor", words, last.actor);
    expect_equal("the entry's traceparent", words, last.traceparent);
}

// As many changes as an engine puts into one write, each of an order with the largest texts.
void many_large_orders_are_kept_whole(bench& b) {
    constexpr std::size_t many = 512;
    constexpr std::size_t at_once = 64;
    const auto metadata = [](std::size_t i) {
        const std::string begin = "{\"n\":" + std::to_string(i) + ",\"text\":\"";
        return begin +
               std::string(order_content::metadata_size_max - begin.size() - 2, 'a' + i % 26) +
               "\"}";
    };
    std::vector<change> all;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < many; ++i) {
        ids.push_back("large-" + std::to_string(i));
        order sent = sample(ids.back());
        sent.item_ids.assign(order_content::items_max, std::numeric_limits<std::int64_t>::max());
        sent.metadata = metadata(i);
        all.push_back(b.create(sent));
    }
    for (const change_outcome& it : b.write(std::move(all))) expect_ok("a create", it);
    for (std::size_t first = 0; first < many; first += at_once) {
        const std::span<const std::string> some(ids.data() + first, at_once);
        const auto rows = value("load()", b.reader().load({some, {}})).orders;
        for (std::size_t i = 0; i < at_once; ++i) {
            expect(rows[i].has_value(), "order " + some[i] + " is not there");
            expect(rows[i]->metadata == metadata(first + i),
                   "order " + some[i] + " has other metadata");
            expect_equal("items of order " + some[i], order_content::items_max,
                         rows[i]->item_ids.size());
        }
    }
    expect_equal("entries", many, b.feed(at_once).size());
}

constexpr entry entries[] = {
    {"content_of_every_kind_is_kept", "Lines, attributes and all else an order may have are kept.",
     content_of_every_kind_is_kept},
    {"users_of_every_kind_are_told_apart", "A user is any text, compared byte for byte.",
     users_of_every_kind_are_told_apart},
    {"ids_of_every_kind_are_kept", "An order id is any text that order_id takes.",
     ids_of_every_kind_are_kept},
    {"a_created_order_is_stored_as_sent", "An order is kept exactly as it was sent.",
     created_order_is_stored_as_sent},
    {"a_duplicate_id_is_refused", "The id of an order is unique; the outcome shows who has it.",
     duplicate_id_is_refused},
    {"a_duplicate_of_anothers_order_is_not_shown",
     "A principal bound to a user is not shown another user's order.",
     duplicate_of_anothers_order_is_not_shown},
    {"a_deleted_id_stays_taken", "An id is unique for ever, also when its order was deleted.",
     deleted_id_stays_taken},
    {"ids_are_told_apart_by_case_and_end", "Ids are compared byte by byte.",
     ids_are_told_apart_by_case_and_end},
    {"numbers_ascend_and_are_never_given_twice", "Numbers ascend and are never given twice.",
     numbers_ascend_and_are_never_given_twice},
    {"the_largest_order_is_kept_whole",
     "An order at every bound (64-character id, 1000 items, 16 KiB of metadata) is kept whole.",
     largest_order_is_kept_whole},
    {"many_large_orders_are_kept_whole", "A write may carry 512 orders of the largest size.",
     many_large_orders_are_kept_whole},
    {"words_are_kept_byte_for_byte", "Text is kept byte for byte, whatever is in it.",
     words_are_kept_byte_for_byte},
};

}  // namespace

std::vector<storage_case> create_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
