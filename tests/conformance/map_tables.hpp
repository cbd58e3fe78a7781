#ifndef ORDERPROC_TESTS_CONFORMANCE_MAP_TABLES_HPP
#define ORDERPROC_TESTS_CONFORMANCE_MAP_TABLES_HPP

// Sorted tables in memory behind kv_transaction: one writer or many readers at a time, and an
// undo log.

#include "connection_kind.hpp"

#include <orderproc/kv.hpp>
#include <orderproc/repository.hpp>

#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct map_tables {
    std::array<std::map<std::string, std::string, std::less<>>, orderproc::kv_table_count> rows;
    std::shared_mutex mutex;
    bool fail_commits = false;
    int changes_left = -1;  // then they fail; below 0: never

    auto& of(orderproc::kv_table table) { return rows[static_cast<std::size_t>(table)]; }
};

class map_transaction final : public orderproc::kv_transaction {
public:
    map_transaction(map_tables& in, connection_kind role) : in_(in) {
        if (role == connection_kind::write) {
            alone_ = std::unique_lock(in.mutex);
        } else {
            shared_ = std::shared_lock(in.mutex);
        }
    }
    ~map_transaction() override {
        for (auto it = undo_.rbegin(); it != undo_.rend(); ++it) (*it)();
    }

    orderproc::result<std::optional<std::string_view>> get(orderproc::kv_table of,
                                                           std::string_view key) override {
        const auto& table = in_.of(of);
        const auto it = table.find(key);
        if (it == table.end()) return std::optional<std::string_view>();
        return std::optional<std::string_view>(it->second);
    }
    orderproc::result<void> put(orderproc::kv_table of, std::string_view key,
                                std::string_view value) override {
        if (!may_change()) return orderproc::errc::unavailable;
        keep(of, key);
        in_.of(of).insert_or_assign(std::string(key), std::string(value));
        return {};
    }
    orderproc::result<void> remove(orderproc::kv_table of, std::string_view key) override {
        if (!may_change()) return orderproc::errc::unavailable;
        auto& table = in_.of(of);
        const auto it = table.find(key);
        if (it == table.end()) return orderproc::errc::corrupt;  // the contract says it is there
        keep(of, key);
        table.erase(it);
        return {};
    }
    orderproc::result<void> walk(orderproc::kv_table of, orderproc::kv_range range,
                                 const visitor& visit) override {
        const auto& table = in_.of(of);
        auto first = table.lower_bound(range.from);
        auto last = table.lower_bound(range.until);
        while (first != last) {
            const auto at = range.backwards ? std::prev(last) : first;
            if (!visit(at->first, at->second)) break;
            range.backwards ? --last : ++first;
        }
        return {};
    }
    orderproc::result<void> commit() override {
        if (in_.fail_commits) return orderproc::errc::unavailable;
        undo_.clear();
        return {};
    }

private:
    bool may_change() const { return in_.changes_left < 0 || in_.changes_left-- > 0; }
    void keep(orderproc::kv_table of, std::string_view key) {
        auto& table = in_.of(of);
        const auto it = table.find(key);
        std::optional<std::string> before;
        if (it != table.end()) before = it->second;
        undo_.push_back([&table, key = std::string(key), before = std::move(before)] {
            if (before) {
                table.insert_or_assign(key, *before);
            } else {
                table.erase(key);
            }
        });
    }

    map_tables& in_;
    std::unique_lock<std::shared_mutex> alone_;
    std::shared_lock<std::shared_mutex> shared_;
    std::vector<std::function<void()>> undo_;
};

inline orderproc::kv_begin begins(map_tables& in, connection_kind role) {
    return [&in, role]() -> orderproc::result<std::unique_ptr<orderproc::kv_transaction>> {
        return std::make_unique<map_transaction>(in, role);
    };
}

class map_storage final : public orderproc::storage {
public:
    explicit map_storage(std::shared_ptr<map_tables> in) : in_(std::move(in)) {}
    orderproc::storage_info info() const override {
        return {"map", 1, false, {}, orderproc::kv_capabilities};
    }
    orderproc::result<std::unique_ptr<orderproc::repository>> connect_writer() override {
        return orderproc::make_kv_repository(begins(*in_, connection_kind::write));
    }
    orderproc::result<std::unique_ptr<orderproc::repository_reader>> connect_reader() override {
        return orderproc::make_kv_repository(begins(*in_, connection_kind::read));
    }

private:
    std::shared_ptr<map_tables> in_;
};

#endif
