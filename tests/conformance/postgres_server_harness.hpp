#ifndef ORDERPROC_TESTS_CONFORMANCE_POSTGRES_SERVER_HARNESS_HPP
#define ORDERPROC_TESTS_CONFORMANCE_POSTGRES_SERVER_HARNESS_HPP

// What the cases about a server do to PostgreSQL.

#include "../integration/postgres_node.hpp"
#include "postgres_proxy.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What a mutant does: in messages on their way, or in front of the storage.
struct server_mutation {
    message_edit edit = {};
    std::function<std::unique_ptr<orderproc::storage>(std::unique_ptr<orderproc::storage>)> wrap =
        {};
    std::chrono::milliseconds silence = std::chrono::minutes(2);
    std::chrono::milliseconds answer_timeout = std::chrono::seconds(5);
};

class postgres_server_harness final : public orderproc::testing::server_harness {
public:
    using storage_ptr = std::unique_ptr<orderproc::storage>;

    explicit postgres_server_harness(postgres_node& on, server_mutation how = {})
        : node_(&on), how_(std::move(how)) {
        static int made = 0;
        schema_ = "server" + std::to_string(++made);
        make_schema();
        (void)direct();  // before anything is forked
    }
    ~postgres_server_harness() override {
        snapshot_.reset();
        faulty_.clear();  // what they have stopped goes on
        if (own_) return;
        sql("DROP SCHEMA " + schema_ + " CASCADE");
    }

    storage_ptr open() override { return open_at(direct()); }
    std::chrono::milliseconds silence_max() const override { return how_.silence; }

    storage_ptr open_with(orderproc::testing::connection_fault what) override {
        faulty_.push_back(std::make_unique<postgres_proxy>(node_->folder(), what, how_.edit));
        return open_at(faulty_.back()->folder());
    }
    void await_fault() override { faulty_.back()->await_fault(); }
    void end_fault() override { faulty_.back()->end_fault(); }

    bool hold_commits(bool hold) override {
        sql(hold ? "ALTER SYSTEM SET synchronous_standby_names TO 'nobody'"
                 : "ALTER SYSTEM RESET synchronous_standby_names");
        sql("SELECT pg_reload_conf()");
        sql("CHECKPOINT");  // the checkpointer tells the others of the setting before it
        return true;
    }
    void await_held_commit() override { wait_for("wait_event = 'SyncRep'", true); }
    void cancel_held_commit() override {
        sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }

    bool restart() override {
        node_->tell("kill");
        node_->tell("start");
        return true;
    }

    bool add_standby() override {
        own_ = std::make_unique<postgres_node>();
        node_ = own_.get();
        make_schema();
        standby_ = node_->tell("standby");
        edited_.clear();
        (void)direct();
        return true;
    }
    bool fail_over() override {
        node_->tell("promote");
        return true;
    }

    bool hold_snapshot(bool hold) override {
        snapshot_.reset();
        if (!hold) return true;
        snapshot_.reset(PQconnectdb(node_->url().c_str()));
        for (const char* text : {"BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"}) {
            PQclear(PQexec(snapshot_.get(), text));
        }
        return PQtransactionStatus(snapshot_.get()) == PQTRANS_INTRANS;
    }
    std::optional<std::uint64_t> work_done() override {
        wait_for("application_name = 'orderproc'", false);  // a session tells at its end
        const std::string sums =
            "SELECT sum(coalesce(heap_blks_hit, 0) + coalesce(heap_blks_read, 0) + "
            "coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0)) FROM pg_statio_user_tables "
            "WHERE schemaname = '" +
            schema_ + "'";
        return std::stoull(sql(sums));
    }

private:
    struct finish {
        void operator()(PGconn* it) const noexcept { PQfinish(it); }
    };

    void make_schema() {
        (void)orderproc::migrate_postgres(node_->options(schema_), {true}).value();
    }
    std::string sql(const std::string& text) { return node_->tell("sql " + text); }

    // Until a session is like that, or none is any more.
    void wait_for(const std::string& condition, bool some) {
        const std::string query = "SELECT count(*) > 0 FROM pg_stat_activity WHERE " + condition;
        while (sql(query) != (some ? "t" : "f")) {
        }
    }

    // Where clients connect to: the server, or a proxy that changes what they say.
    std::string direct() {
        if (!how_.edit)
            return standby_.empty() ? node_->folder() : node_->folder() + "," + standby_;
        if (edited_.empty()) {
            edited_.push_back(std::make_unique<postgres_proxy>(
                node_->folder(), std::optional<postgres_proxy::fault>(), how_.edit));
            if (!standby_.empty()) {
                edited_.push_back(std::make_unique<postgres_proxy>(
                    standby_, std::optional<postgres_proxy::fault>(), how_.edit));
            }
        }
        std::string out;
        for (const auto& it : edited_) out += (out.empty() ? "" : ",") + it->folder();
        return out;
    }

    storage_ptr open_at(const std::string& folders) {
        orderproc::postgres_options options = node_->options(schema_);
        options.connection = "postgresql:///test?host=" + folders + "&user=test";
        options.lock_timeout = std::chrono::milliseconds(500);
        options.answer_timeout = how_.answer_timeout;
        auto out = orderproc::open_postgres(std::move(options)).value();
        return how_.wrap ? how_.wrap(std::move(out)) : std::move(out);
    }

    std::unique_ptr<postgres_node> own_;  // with a standby
    postgres_node* node_;
    std::string standby_;  // the directory of its socket
    const server_mutation how_;
    std::string schema_;
    std::unique_ptr<PGconn, finish> snapshot_;
    std::vector<std::unique_ptr<postgres_proxy>> faulty_;
    std::vector<std::unique_ptr<postgres_proxy>> edited_;
};

#endif
