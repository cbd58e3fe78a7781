// PostgreSQL against what every storage promises.

#include "../integration/postgres_node.hpp"
#include "run_cases.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace {

using namespace orderproc;

postgres_node& node() {
    static postgres_node it;
    return it;
}

class postgres_harness final : public testing::storage_harness {
public:
    postgres_harness() {
        static int made = 0;
        schema_ = "case" + std::to_string(++made);
        (void)migrate_postgres(node().options(schema_), {true}).value();
    }
    ~postgres_harness() override { sql("DROP SCHEMA " + schema_ + " CASCADE"); }

    std::unique_ptr<storage> open() override {
        postgres_options options = node().options(schema_);
        // Sanitizers need long for the largest writes, which have the write lock meanwhile.
        options.lock_timeout = std::chrono::seconds(60);
        options.answer_timeout = std::chrono::seconds(120);
        return std::move(open_postgres(std::move(options))).value();
    }

    // The last statement of a write fails, after all of its changes were made.
    bool fail_writes(bool fail) override {
        sql(fail ? "CREATE FUNCTION " + schema_ +
                       ".broken() RETURNS trigger LANGUAGE plpgsql AS "
                       "'BEGIN RAISE EXCEPTION ''broken by the test''; END'; CREATE TRIGGER "
                       "broken BEFORE INSERT ON " +
                       schema_ + ".writes EXECUTE FUNCTION " + schema_ + ".broken()"
                 : "DROP TRIGGER broken ON " + schema_ + ".writes");
        return true;
    }

private:
    static void sql(const std::string& text) { (void)node().tell("sql " + text); }

    std::string schema_;
};

const bool added =
    add_storage_cases([] { return std::make_unique<postgres_harness>(); }, skipped_case::error);

}  // namespace
