#ifndef ORDERPROC_TESTS_CONFORMANCE_MUTANT_STORAGE_HPP
#define ORDERPROC_TESTS_CONFORMANCE_MUTANT_STORAGE_HPP

// The memory adapter behind hooks that break a promise: what goes in and what comes out can be
// changed on the way.

#include "reader_as_repository.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/testing/storage_cases.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mutants {

using namespace orderproc;

struct write_copy {
    timestamp now;
    std::string writer;
    std::uint64_t sequence = 0;
    std::vector<change> changes;
    std::vector<claim> claims;
    std::vector<commit_cursor> cursors;
    timestamp forget_before;
    std::size_t forget_max = 0;
    std::vector<change_record> records;
    std::vector<purge_orders> purges;
    std::optional<record_guard> guard;

    explicit write_copy(const write_params& from)
        : now(from.now),
          writer(from.writer),
          sequence(from.sequence),
          changes(from.changes.begin(), from.changes.end()),
          claims(from.claims.begin(), from.claims.end()),
          cursors(from.cursors.begin(), from.cursors.end()),
          forget_before(from.forget_before),
          forget_max(from.forget_max),
          records(from.records.begin(), from.records.end()),
          purges(from.purges.begin(), from.purges.end()),
          guard(from.guard) {}

    write_params params() const {
        return {now,           writer,     sequence, changes, claims, cursors,
                forget_before, forget_max, records,  purges,  guard};
    }
};

// Empty ones do nothing.
struct hooks {
    // Before a write.
    std::function<void(change&, repository& inner)> change_in;
    std::function<void(claim&)> claim_in;
    std::function<void(commit_cursor&, timestamp now)> cursor_in;
    std::function<void(change_record&, repository& inner)> record_in;
    std::function<void(write_copy&)> write_in;
    // Instead of it.
    std::function<result<void>(repository& inner, const write_params&, write_results&)> write;
    std::function<void(repository& inner, const write_params&)> failing_write;
    // After it.
    std::function<void(const change&, change_outcome&, repository& inner)> change_out;
    std::function<void(claim_outcome&)> claim_out;
    std::function<void(change_outcome&, timestamp now)> time_out;
    std::function<void(const change_record&, record_outcome&)> record_out;
    // Reading.
    std::function<void(std::string& writer, std::uint64_t asked, bool& answer)> applied;
    std::function<void(std::vector<std::string>& ids, order_scope& scope)> load_in;
    std::function<void(loaded_orders&)> load_out;
    std::function<void(list_params&)> list_in;
    std::function<void(order_page&)> list_out;
    std::function<void(history_params&)> history_in;
    std::function<void(std::vector<journal_entry>&)> history_out;
    std::function<void(feed_params&)> feed_in;
    std::function<void(feed_page&)> feed_out;
    std::function<void(timestamp&)> position_in;
    std::function<void(feed_position&)> position_out;
    std::function<void(statistics&)> count_out;
    std::function<void(std::optional<feed_position>&)> cursor_out;
    std::function<void(std::vector<named_cursor>&)> cursors_out;
    std::function<void(purge_outcome&, repository& inner)> purge_out;
    std::function<void(std::string& collection, std::string& key)> record_name_in;
    std::function<void(std::optional<record>&)> record_found;
    std::function<void(list_records_params&)> records_in;
    std::function<void(list_due_records_params&)> due_in;
    std::function<void(record_page&)> due_out;
    std::function<result<void>(repository& inner, std::uint64_t epoch)> rotate;
    // Opening.
    bool durable = false;        // says so
    bool basic = false;          // declares no capability
    bool forgets = false;        // a new set of orders at every open()
    bool new_epoch = false;      // at every open()
    bool connects_once = false;  // a reader sees what was there at its first load()
};

template <class Hook, class... Args>
void call(const Hook& hook, Args&&... args) {
    if (hook) hook(std::forward<Args>(args)...);
}

class mutant_repository final : public repository {
public:
    mutant_repository(std::unique_ptr<repository> inner, const hooks& with, const bool& failing,
                      std::uint64_t epoch_shift)
        : inner_(std::move(inner)), with_(with), failing_(failing), epoch_shift_(epoch_shift) {}

    result<void> write(const write_params& params, write_results& results) override {
        if (failing_) {
            call(with_.failing_write, *inner_, params);
            return failure{errc::unavailable, "made to fail"};
        }
        write_copy copy(params);
        for (change& it : copy.changes) call(with_.change_in, it, *inner_);
        for (claim& it : copy.claims) call(with_.claim_in, it);
        for (commit_cursor& it : copy.cursors) call(with_.cursor_in, it, params.now);
        for (change_record& it : copy.records) {
            call(with_.record_in, it, *inner_);
            call(with_.record_name_in, it.collection, it.key);
        }
        call(with_.write_in, copy);
        const write_params changed = copy.params();
        auto ok =
            with_.write ? with_.write(*inner_, changed, results) : inner_->write(changed, results);
        if (!ok) return ok;
        for (std::size_t i = 0; i < params.changes.size(); ++i) {
            call(with_.change_out, params.changes[i], results.changes[i], *inner_);
            call(with_.time_out, results.changes[i], params.now);
        }
        for (claim_outcome& it : results.claims) call(with_.claim_out, it);
        for (std::size_t i = 0; i < params.records.size(); ++i) {
            call(with_.record_out, params.records[i], results.records[i]);
        }
        for (purge_outcome& it : results.purges) call(with_.purge_out, it, *inner_);
        return {};
    }

    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override {
        std::string name(writer);
        bool ignored = false;
        call(with_.applied, name, sequence, ignored);
        auto answer = inner_->was_applied(name, sequence);
        if (answer) call(with_.applied, name, sequence, *answer);
        return answer;
    }

    result<loaded_orders> load(const load_params& params) override {
        if (with_.connects_once && !seen_.orders.empty()) {
            auto again = seen_;
            again.orders.resize(params.ids.size());
            return again;
        }
        std::vector<std::string> ids(params.ids.begin(), params.ids.end());
        auto scope = params.scope;
        call(with_.load_in, ids, scope);
        auto rows = inner_->load({ids, scope});
        if (rows) call(with_.load_out, *rows);
        if (rows) seen_ = *rows;
        if (rows) rows->newest.epoch += epoch_shift_;
        if (rows) rows->orders.resize(params.ids.size());
        return rows;
    }
    result<order_page> list(const list_params& params) override {
        list_params copy = params;
        call(with_.list_in, copy);
        auto page = inner_->list(copy);
        if (page) page->newest.epoch += epoch_shift_;
        if (page) call(with_.list_out, *page);
        return page;
    }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        history_params copy = params;
        call(with_.history_in, copy);
        auto entries = inner_->history(copy);
        if (entries) call(with_.history_out, *entries);
        return entries;
    }
    result<feed_page> read_feed(const feed_params& params) override {
        feed_params copy = params;
        if (copy.after.epoch != 0) copy.after.epoch -= epoch_shift_;
        call(with_.feed_in, copy);
        auto page = inner_->read_feed(copy);
        if (!page) return page;
        page->oldest.epoch += epoch_shift_;
        page->newest.epoch += epoch_shift_;
        for (journal_entry& it : page->entries) it.position.epoch += epoch_shift_;
        call(with_.feed_out, *page);
        return page;
    }
    result<feed_position> find_position(timestamp at) override {
        call(with_.position_in, at);
        auto found = inner_->find_position(at);
        if (found) call(with_.position_out, *found);
        return found;
    }
    result<statistics> count() override {
        auto counted = inner_->count();
        if (counted) call(with_.count_out, *counted);
        return counted;
    }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        auto at = inner_->find_cursor(name);
        if (at) call(with_.cursor_out, *at);
        return at;
    }
    result<std::vector<named_cursor>> list_cursors() override {
        auto all = inner_->list_cursors();
        if (all) call(with_.cursors_out, *all);
        return all;
    }
    result<std::optional<record>> find_record(const find_record_params& params) override {
        std::string collection(params.collection), key(params.key);
        call(with_.record_name_in, collection, key);
        auto found = inner_->find_record({collection, key});
        if (found) call(with_.record_found, *found);
        return found;
    }
    result<record_page> list_records(const list_records_params& params) override {
        list_records_params copy = params;
        call(with_.records_in, copy);
        return inner_->list_records(copy);
    }
    result<record_page> list_due_records(const list_due_records_params& params) override {
        list_due_records_params copy = params;
        call(with_.due_in, copy);
        auto page = inner_->list_due_records(copy);
        if (page) call(with_.due_out, *page);
        return page;
    }
    result<void> rotate_epoch(std::uint64_t epoch) override {
        return with_.rotate ? with_.rotate(*inner_, epoch) : inner_->rotate_epoch(epoch);
    }

private:
    std::unique_ptr<repository> inner_;
    const hooks& with_;
    const bool& failing_;
    std::uint64_t epoch_shift_;
    loaded_orders seen_;
};

// Keeps the orders, so that they are the same at every open().
class mutant_harness final : public testing::storage_harness {
public:
    explicit mutant_harness(hooks with = {}) : with_(std::move(with)) {}

    std::unique_ptr<storage> open() override {
        if (!orders_ || with_.forgets) {
            if (orders_) forgotten_.push_back(std::move(orders_));
            orders_ = make_memory_storage();
        }
        ++opened_;
        return std::make_unique<view>(*this, *orders_, with_.new_epoch ? opened_ : 0);
    }
    bool fail_writes(bool fail) override {
        failing_ = fail;
        return true;
    }

private:
    class view final : public storage {
    public:
        view(mutant_harness& owner, storage& orders, std::uint64_t epoch_shift)
            : owner_(owner), orders_(orders), epoch_shift_(epoch_shift) {}

        storage_info info() const override {
            storage_info out = orders_.info();
            out.name = "mutant";
            out.durable = owner_.with_.durable;
            if (owner_.with_.basic) out.capabilities = {};
            return out;
        }
        result<std::unique_ptr<repository>> connect_writer() override {
            auto inner = orders_.connect_writer();
            if (!inner) return inner;
            return std::make_unique<mutant_repository>(std::move(*inner), owner_.with_,
                                                       owner_.failing_, epoch_shift_);
        }
        result<std::unique_ptr<repository_reader>> connect_reader() override {
            auto inner = orders_.connect_reader();
            if (!inner) return inner;
            return std::make_unique<mutant_repository>(
                std::make_unique<reader_as_repository>(std::move(*inner)), owner_.with_,
                owner_.failing_, epoch_shift_);
        }

    private:
        mutant_harness& owner_;
        storage& orders_;
        std::uint64_t epoch_shift_;
    };

    hooks with_;
    std::unique_ptr<storage> orders_;
    std::vector<std::unique_ptr<storage>> forgotten_;  // connections may still be open
    std::uint64_t opened_ = 0;
    bool failing_ = false;
};

}  // namespace mutants

#endif
