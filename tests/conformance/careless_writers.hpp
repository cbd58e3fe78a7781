#ifndef ORDERPROC_TESTS_CONFORMANCE_CARELESS_WRITERS_HPP
#define ORDERPROC_TESTS_CONFORMANCE_CARELESS_WRITERS_HPP

// Transactions of file_tables.hpp that do not keep the writers of several processes apart.

#include "file_tables.hpp"
#include "map_tables.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a writer does instead of keeping others out from its first read to its commit.
enum class careless {
    not_at_all,       // it keeps them out
    no_lock,          // reads at its beginning, and writes what it made of that at its end
    late_lock,        // the same, but keeps others out after its first read
    early_positions,  // takes positions and numbers in a transaction of their own, at its beginning
    own_clock,        // does not look at the time of the last write
};

// Works on a copy that it made at its beginning; its commit writes what it has changed there.
class copied_transaction final : public orderproc::kv_transaction {
public:
    copied_transaction(const std::shared_ptr<file_tables>& in, careless how) : in_(in), how_(how) {
        if (how == careless::early_positions) take_positions();
        copy_all();
        for (const auto& [name, value] : taken_) {
            copy_.of(orderproc::kv_table::counters).insert_or_assign(name, value);
        }
        if (how == careless::late_lock) in_->lock();
        work_ = std::make_unique<map_transaction>(copy_, connection_kind::write);
    }
    ~copied_transaction() override {
        if (how_ == careless::late_lock) in_->unlock();
    }

    orderproc::result<std::optional<std::string_view>> get(orderproc::kv_table of,
                                                           std::string_view key) override {
        return work_->get(of, key);
    }
    orderproc::result<void> put(orderproc::kv_table of, std::string_view key,
                                std::string_view value) override {
        changes_.push_back({of, std::string(key), std::string(value)});
        return work_->put(of, key, value);
    }
    orderproc::result<void> remove(orderproc::kv_table of, std::string_view key) override {
        changes_.push_back({of, std::string(key), {}});
        return work_->remove(of, key);
    }
    orderproc::result<void> walk(orderproc::kv_table of, orderproc::kv_range range,
                                 const visitor& visit) override {
        return work_->walk(of, range, visit);
    }
    orderproc::result<void> commit() override {
        file_transaction now(in_, connection_kind::write);
        for (const auto& [table, key, value] : changes_) {
            if (table == orderproc::kv_table::counters && is_taken(key)) continue;
            const auto ok = value ? now.put(table, key, *value) : now.remove(table, key);
            if (!ok) return ok;
        }
        return now.commit();
    }

private:
    struct change_made {
        orderproc::kv_table of;
        std::string key;
        std::optional<std::string> value;  // none: removed
    };

    void copy_all() {
        file_transaction now(in_, connection_kind::read);
        for (std::size_t i = 0; i < orderproc::kv_table_count; ++i) {
            const auto of = static_cast<orderproc::kv_table>(i);
            const std::string until(orderproc::kv_key_size_max + 1, '\xff');
            (void)now.walk(of, {{}, until}, [&](std::string_view key, std::string_view value) {
                copy_.of(of).insert_or_assign(std::string(key), std::string(value));
                return true;
            });
        }
    }
    // 256 of each, more than a write of the cases needs.
    void take_positions() {
        file_transaction now(in_, connection_kind::write);
        for (const std::string_view name : {"offset", "number"}) {
            const auto found = now.get(orderproc::kv_table::counters, name).value();
            if (!found) continue;
            std::string after(*found);  // eight bytes, the highest first
            taken_.emplace_back(name, after);
            for (std::size_t i = after.size() - 1; i-- > 0 && ++after[i] == 0;) {
            }
            (void)now.put(orderproc::kv_table::counters, name, after);
        }
        (void)now.commit();
    }
    bool is_taken(std::string_view name) const {
        for (const auto& it : taken_) {
            if (it.first == name) return true;
        }
        return false;
    }

    std::shared_ptr<file_tables> in_;
    const careless how_;
    std::vector<std::pair<std::string, std::string>> taken_;
    map_tables copy_;
    std::unique_ptr<map_transaction> work_;
    std::vector<change_made> changes_;
};

class forgets_the_time final : public file_transaction {
public:
    using file_transaction::file_transaction;
    orderproc::result<std::optional<std::string_view>> get(orderproc::kv_table of,
                                                           std::string_view key) override {
        const bool time = of == orderproc::kv_table::counters && key == "last_stamp";
        return time ? std::optional<std::string_view>() : file_transaction::get(of, key);
    }
};

inline orderproc::result<std::unique_ptr<orderproc::kv_transaction>> begin_carelessly(
    const std::shared_ptr<file_tables>& in, connection_kind role, careless how) {
    if (role == connection_kind::read || how == careless::not_at_all) {
        return std::make_unique<file_transaction>(in, role);
    }
    if (how == careless::own_clock) return std::make_unique<forgets_the_time>(in, role);
    return std::make_unique<copied_transaction>(in, how);
}

class file_storage final : public orderproc::storage {
public:
    explicit file_storage(std::string path, careless how = careless::not_at_all)
        : path_(std::move(path)), how_(how) {
        file_transaction first(std::make_shared<file_tables>(path_), connection_kind::write);
        orderproc::prepare_kv(first, 7).value();
    }
    orderproc::storage_info info() const override {
        return {"file", 1, true, {}, orderproc::kv_capabilities};
    }
    orderproc::result<std::unique_ptr<orderproc::repository>> connect_writer() override {
        return connect(connection_kind::write);
    }
    orderproc::result<std::unique_ptr<orderproc::repository_reader>> connect_reader() override {
        return connect(connection_kind::read);
    }

private:
    std::unique_ptr<orderproc::repository> connect(connection_kind role) const {
        return orderproc::make_kv_repository(
            [in = std::make_shared<file_tables>(path_), role, how = how_] {
                return begin_carelessly(in, role, how);
            });
    }

    const std::string path_;
    const careless how_;
};

#endif
