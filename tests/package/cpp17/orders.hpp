// What the rest of a C++17 program sees of its orders: no header of orderproc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace shop {

class orders {
public:
    explicit orders(const std::string& path);
    ~orders();

    // The stored order as JSON; throws std::runtime_error if it was not stored.
    std::string place(std::string user, std::vector<std::int64_t> item_ids, std::int64_t cents);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shop
