// What changes in every status.

#include "testing/shop.hpp"

#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

annotate_order tracked(std::string number) {
    annotate_order out;
    out.annotations = R"({"carrier":"acme"})";
    out.attributes = {{"tracking", std::move(number)}};
    return out;
}

void annotation_disturbs_no_work(bench& b) {
    b.use(shop_without_indexes());
    b.done(b.create(with(shop_order("A"), "gift", true)));
    const timestamp lent = b.now();
    const claimed_order held = b.claimed("A");
    b.advance(seconds(1));
    const order was = b.found("A");
    const order is = b.done(b.annotate("A", tracked("T-1")));
    order expected = with(was, "tracking", "T-1");
    expected.annotations = R"({"carrier":"acme"})";
    expected.version = order_version{static_cast<std::uint64_t>(was.version) + 1};
    expected.updated_at = b.now();
    expect_same("an order that was annotated while somebody works on it", expected, is);
    expect_same("the same, read", expected, b.found("A"));
    const auto history = b.history("A");
    expect_equal("the event", std::string("annotate"), history.back().event);
    expect_same("its entry", expected, history.back().after);
    const auto claimable = [&b] { return ids_of(b.write(b.claim_of("other")).orders); };
    expect_equal("orders to be claimed", std::vector<std::string>(), claimable());
    const change_outcome renewed = b.write(b.renew(held, lent + seconds(60)));
    expect_ok("a renewal", renewed);
    b.advance(seconds(40));
    expect_equal("orders to be claimed after it", std::vector<std::string>(), claimable());
    const order done = b.done(b.leave(held, "complete"));
    expect(done.attributes == is.attributes && done.annotations == is.annotations,
           "a completion takes annotations away");
}

void annotated_order_is_due_as_before(bench& b) {
    b.use(shop_without_indexes());
    b.done(b.create(shop_order("A")));
    b.done(b.create(shop_order("B")));
    (void)b.claimed("A");
    b.done(b.annotate("A", tracked("T-1")));
    b.done(b.annotate("B", tracked("T-2")));
    expect_equal("orders to be claimed", std::vector<std::string>{"B"},
                 ids_of(b.write(b.claim_of("other")).orders));
    b.advance(seconds(31));
    claim later = b.claim_of("third");
    later.only = {"A"};
    expect_equal("orders whose lease is over", std::size_t{1}, b.write(later).released);
    expect_equal("annotations of an order that was claimed", std::string(R"({"carrier":"acme"})"),
                 b.found("A").annotations);
}

void annotations_change_in_every_status(bench& b) {
    b.use(shop_without_indexes());
    b.done(b.create(shop_order("A")));
    b.done(b.annotate("A", tracked("T-1")));
    b.done(b.raise("A", "cancel"));
    const auto settled_at = b.found("A").settled_at;
    const order is = b.done(b.annotate("A", tracked("T-2")));
    expect_equal("settled since", settled_at, is.settled_at);
    expect_equal("version", order_version{4}, is.version);
    annotate_order gone;
    gone.annotations = "";
    gone.removed = {"tracking"};
    const order bare = b.done(b.annotate("A", gone));
    expect(bare.annotations.empty() && bare.attributes.empty(), "what was removed is there");
    change stale = b.annotate("A", tracked("T-3"));
    stale.version = order_version{4};
    expect_refused("an annotation of a version that has passed", errc::version_conflict,
                   b.write(std::move(stale)));
    expect_refused("an annotation of nothing", errc::not_found,
                   b.write(b.annotate("none", tracked("T-3"))));
}

constexpr entry entries[] = {
    {"an_annotation_disturbs_no_work",
     "An annotation has a version and an entry; who works on the order goes on.",
     annotation_disturbs_no_work},
    {"an_annotated_order_is_due_as_before",
     "An annotation changes nothing of when a worker should look.",
     annotated_order_is_due_as_before},
    {"annotations_change_in_every_status", "Settled orders are annotated as well.",
     annotations_change_in_every_status},
};

}  // namespace

std::vector<storage_case> annotate_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
