// An authentication of your own in front of the engine. The library asks nobody who they are: a
// host does, and says with each command and each read whose orders it is about. Then somebody
// else's order is not there, an idempotency key is one's own, and the journal says who it was.

#include <orderproc/engine.hpp>
#include <orderproc/idempotency.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace orderproc;

namespace {

struct principal {
    std::string name;   // for the journal, and for idempotency keys
    order_scope scope;  // what it may see and change; {}: everything
};

// Sessions, client certificates, a directory: whatever you have. Yours would keep digests.
class directory {
public:
    void add(std::string secret, principal who) {
        by_secret_.emplace(std::move(secret), std::move(who));
    }
    const principal* find(std::string_view secret) const {
        const auto found = by_secret_.find(secret);
        return found == by_secret_.end() ? nullptr : &found->second;
    }

private:
    std::map<std::string, principal, std::less<>> by_secret_;
};

// What every command of a principal carries.
command said_by(const principal& who, std::string_view operation, std::string_view key,
                std::string_view body) {
    command out;
    out.actor = who.name;
    out.scope = who.scope;
    if (!key.empty()) {
        out.idempotency_key = make_idempotency({who.name, "POST", operation, {}}, key, body);
    }
    return out;
}

class shop {
public:
    shop(engine& orders, reader& reads, const directory& known)
        : orders_(orders), reads_(reads), known_(known) {}

    // 401, 422, 409 or 201, as an HTTP server would answer.
    int create(std::string_view secret, std::string id, std::string user, std::string_view key) {
        const principal* const who = known_.find(secret);
        if (!who) return 401;
        command what = said_by(*who, "create", key, id + user);
        order_draft draft;
        draft.id = order_id::parse(id).value();
        draft.user = std::move(user);
        draft.item_ids = {1};
        draft.total_amount = {100, "EUR"};
        what.what = submit_order{std::move(draft)};
        const change_outcome made = orders_.execute(std::move(what));
        if (made.ec == errc::invalid_argument) return 422;  // for somebody else, say
        return made.ec ? 409 : 201;
    }
    int cancel(std::string_view secret, const std::string& id) {
        const principal* const who = known_.find(secret);
        if (!who) return 401;
        command what = said_by(*who, "cancel", {}, {});
        what.what = raise_event{id, "cancel"};
        const change_outcome made = orders_.execute(std::move(what));
        return made.ec == errc::not_found ? 404 : made.ec ? 409 : 200;
    }
    int get(std::string_view secret, const std::string& id) {
        const principal* const who = known_.find(secret);
        if (!who) return 401;
        const auto found = reads_.use([&](repository_reader& from) {
            return from.load({.ids = {&id, 1}, .scope = who->scope});
        });
        if (!found) return 503;
        return found->orders.at(0) ? 200 : 404;
    }
    std::string last_actor(const std::string& id) {
        const auto found =
            reads_.use([&](repository_reader& from) { return from.history({.order = id}); });
        return found && !found->empty() ? found->back().actor : "";
    }

private:
    engine& orders_;
    reader& reads_;
    const directory& known_;
};

bool expect(const char* what, int got, int expected) {
    std::printf("%-38s %d\n", what, got);
    return got == expected;
}

}  // namespace

int main() {
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(*stored);
    directory known;
    known.add("anna's secret", {"anna", {.user = "7"}});
    known.add("ben's secret", {"ben", {.user = "8"}});
    known.add("the till's secret", {"till-3", {}});
    shop in(orders, reads, known);

    bool right = expect("nobody", in.create("guessed", "A-1", "7", ""), 401);
    right &= expect("anna for herself", in.create("anna's secret", "A-1", "7", "k"), 201);
    right &= expect("again, the same key", in.create("anna's secret", "A-1", "7", "k"), 201);
    right &= expect("ben with the same key", in.create("ben's secret", "A-2", "8", "k"), 201);
    right &= expect("ben for anna", in.create("ben's secret", "A-3", "7", ""), 422);
    right &= expect("ben looks at anna's", in.get("ben's secret", "A-1"), 404);
    right &= expect("ben cancels anna's", in.cancel("ben's secret", "A-1"), 404);
    right &= expect("the till cancels anna's", in.cancel("the till's secret", "A-1"), 200);
    return right && in.last_actor("A-1") == "till-3" ? 0 : 1;
}
