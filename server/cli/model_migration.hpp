#ifndef ORDERPROC_SERVER_CLI_MODEL_MIGRATION_HPP
#define ORDERPROC_SERVER_CLI_MODEL_MIGRATION_HPP

// `orderproc migrate --model`: gives a storage the next version of its model.

#include "cli/stored_model.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace orderproc::server {

struct model_migration {
    std::string changes;          // what the new model adds; empty: it is the stored one
    std::uint64_t version = 0;    // of the record, afterwards
    std::uint64_t refreshed = 0;  // orders whose index entries were computed again
    bool resumed = false;         // an earlier migration had not computed all of them
};

// Whether the storage may take the model: errc::invalid_argument, with what forbids it. Changes
// nothing.
result<model_migration> check_model_migration(storage& orders, const shop_model& next);

// Stores the model, and computes the index entries of all orders if it indexes an attribute that
// was there without an index. If it is interrupted, calling it again goes on where it was. progress
// is told how many orders are done.
result<model_migration> migrate_model(storage& orders, shop_model next,
                                      const std::function<void(std::uint64_t)>& progress);

// Whether a migration was interrupted, so that lists by a new index do not show all orders yet.
result<bool> is_model_migration_unfinished(storage& orders);
// Says so on standard error, with what to do.
void print_unfinished_migration(storage& orders);

}  // namespace orderproc::server

#endif
