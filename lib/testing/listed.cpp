#include "testing/listed.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

std::vector<order> population(bench& b) {
    for (int moment = 0; moment < 12; ++moment) {
        std::vector<change> creates;
        for (int i = 0; i < 5; ++i) {
            creates.push_back(
                b.create("p" + std::to_string(moment * 5 + i), 1 + (moment + i * i) % 3));
        }
        b.write(std::move(creates));
        b.advance(milliseconds(moment % 3 == 0 ? 1 : 1000));
    }
    std::vector<change> cancels;
    for (int i = 0; i < 60; i += 7) cancels.push_back(b.raise("p" + std::to_string(i), "cancel"));
    b.write(std::move(cancels));
    std::vector<change> finishes;
    for (const claimed_order& held : b.write(b.claim_of("w", 20)).orders) {
        const std::int64_t kind = held.value.number % 3;
        if (kind == 0) finishes.push_back(b.leave(held, "complete"));
        if (kind == 1) finishes.push_back(b.leave(held, "fail"));
    }
    b.write(std::move(finishes));
    b.done(b.erase("p58"));
    b.done(b.erase("p31"));
    std::vector<order> out;
    for (int i = 0; i < 60; ++i) {
        if (auto it = b.find("p" + std::to_string(i))) out.push_back(std::move(*it));
    }
    expect_equal("orders made for the case", std::size_t{58}, out.size());
    return out;
}

std::vector<order> by_definition(std::vector<order> from, const list_params& params) {
    std::erase_if(from, [&](const order& it) {
        const auto& wanted = params.statuses;
        return !params.scope.admits(it) || !id_of(it).starts_with(params.id_prefix) ||
               (params.created_from && it.created_at < *params.created_from) ||
               (params.created_until && it.created_at >= *params.created_until) ||
               (!wanted.empty() &&
                std::find(wanted.begin(), wanted.end(), it.status) == wanted.end());
    });
    std::sort(from.begin(), from.end(), [&](const order& a, const order& b) {
        if (params.sort == list_sort::order_id) {
            return params.descending ? b.id < a.id : a.id < b.id;
        }
        const std::pair x(a.created_at, a.number);
        const std::pair y(b.created_at, b.number);
        return params.descending ? y < x : x < y;
    });
    return from;
}

namespace {

std::string name_of(list_sort sort) {
    switch (sort) {
        case list_sort::created_at:
            return ", by created_at";
        case list_sort::order_id:
            return ", by order_id";
        case list_sort::due_at:
            return ", by due_at";
        case list_sort::index:
            return ", by value";
    }
    return {};
}

}  // namespace

std::string describe(const list_params& params) {
    std::string out = "list(statuses";
    for (const order_status status : params.statuses) out += " " + show(status);
    return out + ", user " + show(params.scope.user) + ", tenant " + show(params.scope.tenant) +
           ", from " + show(params.created_from) + ", until " + show(params.created_until) +
           ", ids with " + std::string(params.id_prefix) + name_of(params.sort) +
           (params.descending ? ", descending" : ", ascending") +
           (params.index ? ", attribute " + show(unsigned{params.index->slot}) : "") + ", limit " +
           show(params.limit) + ", count up to " + show(params.count_max) + ")";
}

void expect_listed(bench& b, const std::vector<order>& all, const list_params& params) {
    const auto expected = by_definition(all, params);
    const auto found = b.list(params);
    expect_equal(describe(params), ids_of(expected), ids_of(found));
    for (std::size_t i = 0; i < found.size(); ++i) {
        expect_same(describe(params), expected[i], found[i]);
    }
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
