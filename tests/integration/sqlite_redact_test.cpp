// What a redaction takes out is in no byte of the files.

#include "sqlite_support.hpp"

#include <orderproc/command.hpp>
#include <orderproc/runtime.hpp>

#include <fstream>
#include <random>
#include <sstream>

using namespace sqlite_support;

namespace {

order_model people() {
    order_rules rules;
    attribute_rule email{"email"};
    email.personal = email.indexed = true;
    email.size_max = attribute_rule::indexed_text_size_max;
    attribute_rule phone{"phone"};
    phone.personal = true;
    rules.attributes = {email, phone};
    return order_model::build(rules).value();
}

// One write each, as the engine makes them.
class shop {
public:
    explicit shop(storage& orders) : writer_(writer_of(orders)) {}

    repository& db() { return *writer_; }

    void run(command what) {
        runtime with = system_runtime();
        run(lower(std::move(what), status_machine::standard(), with, model_).value());
    }
    void run(const change& what) {
        std::vector<change_outcome> out;
        BOOST_REQUIRE(write(*writer_, {&what, 1}, "test", ++sequence_, out, now()).has_value());
        BOOST_REQUIRE_MESSAGE(!out[0].ec, what.event << ": " << out[0].ec.message());
    }
    void redact(const std::string& id) {
        command out;
        out.what = redact_personal{id};
        run(std::move(out));
    }
    void raise(const std::string& id, const char* event) {
        command out;
        out.what = raise_event{id, event};
        run(std::move(out));
    }
    void erase(const std::string& id) {
        command out;
        out.what = erase_order{id};
        run(std::move(out));
    }
    // In the metadata, an attribute, an indexed one, the annotations, an edit of all, a record.
    void plant(const std::string& id, std::size_t size) {
        order_draft draft;
        draft.id = order_id::parse(id).value();
        draft.user = "7";
        draft.item_ids = {1001, 1002};
        draft.total_amount = {14999, "USD"};
        draft.metadata = R"({"name":")" + secret(id) + std::string(size, '-') + secret(id) + "\"}";
        draft.attributes = {{"email", secret(id) + "@first"}, {"phone", secret(id) + "-phone"}};
        command submit;
        submit.what = submit_order{draft};
        run(std::move(submit));
        draft.attributes[0].value = secret(id) + "@second";
        draft.metadata.insert(2, "edited ");
        command edit;
        edit.what = edit_fields{id, draft};
        run(std::move(edit));
        command annotated;
        annotated.what = annotate{id, {"{\"seen\":\"" + secret(id) + "\"}", {}, {}}};
        run(std::move(annotated));
        const change_record about{record_action::create, "parked", id, 0, secret(id), {}, id};
        record_outcome out;
        write_params params;
        params.now = now();
        params.writer = "test";
        params.sequence = ++sequence_;
        params.records = {&about, 1};
        write_results results;
        results.records = {&out, 1};
        BOOST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_REQUIRE(!out.ec);
    }
    void place(const std::string& id, std::size_t size) {
        order_draft draft;
        draft.id = order_id::parse(id).value();
        draft.user = "7";
        draft.item_ids = {1001};
        draft.total_amount = {14999, "USD"};
        draft.metadata = "{\"name\":\"" + secret(id) + std::string(size, '-') + "\"}";
        draft.attributes = {{"email", std::to_string(size * 7919 % 1000) + secret(id)}};
        command submit;
        submit.what = submit_order{draft};
        run(std::move(submit));
    }
    void annotate_with(const std::string& id, std::size_t size) {
        command out;
        out.what = annotate{id, {"{\"seen\":\"" + std::string(size, '+') + "\"}", {}, {}}};
        run(std::move(out));
    }
    static std::string secret(const std::string& id) { return "Secret of " + id + "."; }

private:
    timestamp now() { return day_one + std::chrono::seconds(sequence_); }

    const order_model model_ = people();
    std::unique_ptr<repository> writer_;
    std::uint64_t sequence_ = 0;
};

// Of the database, its log and its lock file.
std::string bytes_of(const std::string& path) {
    std::ostringstream out;
    for (const char* suffix : {"", "-wal", "-lock"}) {
        std::ifstream from(path + suffix, std::ios::binary);
        if (from.peek() != std::ifstream::traits_type::eof()) out << from.rdbuf();
    }
    return std::move(out).str();
}

bool is_in(const std::string& path, const std::string& text) {
    return bytes_of(path).find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_redacted_is_in_no_byte_once_the_storage_is_closed) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    constexpr int orders = 400;
    {
        const auto storage = open(path, 100);
        shop of(*storage);
        for (int i = 0; i < orders; ++i) {
            const std::string id = "o-" + std::to_string(i * 7919 % 1000);
            of.plant(id, static_cast<std::size_t>(i * i % 997 * (i % 17 == 0 ? 9 : 1)));
            if (i % 5 == 0) continue;
            of.raise(id, "cancel");
            if (i % 11 == 0) of.erase(id);
        }
        for (int i = 0; i < orders; ++i) {
            if (i % 5 == 0) continue;
            const std::string id = "o-" + std::to_string(i * 7919 % 1000);
            if (i % 3 != 0) of.redact(id);
        }
    }
    const std::string all = bytes_of(path);
    std::size_t left = 0;
    for (int i = 0; i < orders; ++i) {
        const std::string id = "o-" + std::to_string(i * 7919 % 1000);
        const bool redacted = i % 5 != 0 && i % 3 != 0;
        const bool found = all.find(shop::secret(id)) != std::string::npos;
        left += redacted && found;
        if (!redacted) BOOST_TEST(found, id << " was not redacted");
    }
    BOOST_TEST(left == 0U);
    const auto storage = open(path);
    check_whole(*reader_of(*storage));
}

// Rows that grow are moved within their pages and to others, and copies of them stay.
BOOST_AUTO_TEST_CASE(copies_that_sqlite_leaves_behind_go_as_well) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    constexpr std::size_t orders = 1500;
    std::mt19937_64 chance(4);
    std::vector<std::string> ids;
    {
        const auto storage = open(path, 200);
        shop of(*storage);
        for (std::size_t i = 0; i < orders; ++i) {
            ids.push_back("o-" + std::to_string(chance() % 1'000'000) + "-" + std::to_string(i));
            of.place(ids.back(), chance() % 300);
            for (auto more = chance() % 4; more > 0; --more) {
                of.annotate_with(ids[chance() % ids.size()], chance() % 200);
            }
        }
        for (const std::string& id : ids) of.raise(id, "cancel");
        for (const std::string& id : ids) of.redact(id);
    }
    const std::string all = bytes_of(path);
    std::size_t left = 0;
    for (const std::string& id : ids) left += all.find(shop::secret(id)) != std::string::npos;
    BOOST_TEST(left == 0U);
    sqlite3* db = nullptr;
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    std::string verdict;
    sqlite3_exec(
        db, "PRAGMA integrity_check",
        [](void* to, int, char** row, char**) {
            *static_cast<std::string*>(to) += row[0];
            return 0;
        },
        &verdict, nullptr);
    sqlite3_close(db);
    BOOST_TEST(verdict == "ok");
}

BOOST_AUTO_TEST_CASE(the_log_is_emptied_when_nobody_reads_it) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    const auto storage = open(path);
    shop of(*storage);
    of.plant("A", 10);
    of.raise("A", "cancel");
    BOOST_TEST(!of.db().tidy().value());  // nothing to do
    of.redact("A");
    BOOST_TEST(is_in(path, shop::secret("A")));
    sqlite3* other = nullptr;
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
    BOOST_REQUIRE(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM orders", nullptr, nullptr,
                               nullptr) == SQLITE_OK);
    BOOST_TEST(of.db().tidy().value());  // not yet
    sqlite3_close(other);
    BOOST_TEST(!of.db().tidy().value());
    BOOST_TEST(!is_in(path, shop::secret("A")));
}
