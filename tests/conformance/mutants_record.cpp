// Mutants of records and of what is done to cursors by their owners.

#include "mutants.hpp"

#include <memory>
#include <optional>
#include <string>

namespace mutants {
namespace {

std::optional<record> present(repository& inner, const change_record& what) {
    return inner.find_record({what.collection, what.key}).value();
}

// Expects whatever is there.
void any_version(change_record& it, repository& inner) {
    if (const auto found = present(inner, it)) it.version = found->version;
}

const mutant records[] = {
    {"create overwrites", "a_record_is_created_once",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository& inner) {
             if (it.action != record_action::create || !present(inner, it)) return;
             it.action = record_action::replace;
             any_version(it, inner);
         };
     }},
    {"values end at a zero", "a_record_is_created_once",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository&) { it.value = it.value.c_str(); };
     }},
    {"due time forgotten", "a_record_is_created_once",
     [](hooks& h) { h.record_in = [](change_record& it, repository&) { it.due_at.reset(); }; }},
    {"refused without what is there", "a_record_is_created_once",
     [](hooks& h) {
         h.record_out = [](const change_record&, record_outcome& out) {
             if (out.ec) out.present.reset();
         };
     }},
    {"replace of any version", "a_record_is_replaced_by_version",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository& inner) {
             if (it.action == record_action::replace) any_version(it, inner);
         };
     }},
    {"replace creates", "a_record_is_replaced_by_version",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository& inner) {
             if (!present(inner, it)) it.action = record_action::create;
         };
     }},
    {"remove of any version", "a_record_is_removed_by_version",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository& inner) {
             if (it.action == record_action::remove) any_version(it, inner);
         };
     }},
    {"remove leaves an empty one", "a_record_is_removed_by_version",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository&) {
             if (it.action == record_action::remove) it.action = record_action::replace;
         };
     }},
    {"versions start again", "a_version_is_never_given_twice",
     [](hooks& h) {
         h.record_out = [](const change_record& it, record_outcome& out) {
             if (it.action == record_action::create && out.present) out.present->version = 1;
         };
         h.record_found = [](std::optional<record>& it) {
             if (it) it->version = 1;
         };
     }},
    {"prefix ignored", "records_are_listed_by_key",
     [](hooks& h) { h.records_in = [](list_records_params& it) { it.prefix = {}; }; }},
    {"pages do not go on", "records_are_listed_by_key",
     [](hooks& h) { h.records_in = [](list_records_params& it) { it.after = {}; }; }},
    {"limit ignored", "records_are_listed_by_key",
     [](hooks& h) { h.records_in = [](list_records_params& it) { ++it.limit; }; }},
    {"due time exclusive", "due_records_are_listed_by_time",
     [](hooks& h) {
         h.due_in = [](list_due_records_params& it) { it.until -= std::chrono::milliseconds(1); };
     }},
    {"skips those of one time", "due_records_are_listed_by_time",
     [](hooks& h) {
         h.due_in = [](list_due_records_params& it) {
             if (it.after) it.after->key = "\xff";
         };
     }},
    {"put off, but still due", "due_records_are_listed_by_time",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository& inner) {
             if (it.action == record_action::replace) it.due_at = present(inner, it)->due_at;
         };
     }},
    {"collections that begin alike", "collections_are_apart",
     [](hooks& h) {
         h.record_name_in = [](std::string& collection, std::string& key) {
             key = collection + key;
             collection = "all";
         };
     }},
    {"one collection", "collections_are_apart",
     [](hooks& h) {
         h.record_name_in = [](std::string& collection, std::string&) { collection = "all"; };
     }},
    {"values end at 32 KiB", "the_largest_record_is_kept_whole",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository&) {
             if (it.value.size() > 32 * 1024) it.value.resize(32 * 1024);
         };
     }},
    {"the last of a write counts", "records_change_beside_orders",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.records.size() > 2) it.records[0].key = "elsewhere";
         };
     }},
    {"a refused record refuses the write", "records_change_beside_orders",
     [](hooks& h) {
         h.write = [](repository& inner, const write_params& all, write_results& out) {
             auto done = inner.write(all, out);
             for (const record_outcome& it : out.records) {
                 if (it.ec && out.changes.size() > 0) out.changes.back().ec = it.ec;
             }
             return done;
         };
     }},
    {"records written by themselves", "records_are_part_of_the_write",
     [](hooks& h) {
         h.failing_write = [](repository& inner, const write_params& all) {
             write_params only = part(all, 0, 0);
             only.records = all.records;
             only.sequence -= 1;
             std::vector<record_outcome> outcomes(all.records.size());
             write_results results{{}, {}, {}, outcomes};
             (void)inner.write(only, results);
         };
     }},
    {"a write of records is forgotten", "records_are_part_of_the_write",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.changes.empty() && !it.records.empty()) it.writer = "another";
         };
     }},
    {"forgets", "records_are_there_after_reopening",
     [](hooks& h) { h.durable = h.forgets = true; }},
};

const mutant cursors[] = {
    {"removing is a move", "a_cursor_is_removed",
     [](hooks& h) { h.cursor_in = [](commit_cursor& it, timestamp) { it.remove = false; }; }},
    {"anybody removes", "a_cursor_is_removed",
     [](hooks& h) {
         h.cursor_in = [](commit_cursor& it, timestamp) {
             if (it.remove) it.owner = "a";
         };
     }},
    {"at most 100 of a write are renewed", "an_owner_renews_many_cursors",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             for (std::size_t i = 100; i < it.cursors.size(); ++i) {
                 it.cursors[i].expires_at = it.now;
             }
         };
     }},
};

}  // namespace

std::vector<mutant> record_mutants() {
    return all_of({records, cursors});
}

}  // namespace mutants
