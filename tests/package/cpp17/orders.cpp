// The one C++20 file of a C++17 program.

#include "orders.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/json.hpp>
#include <orderproc/sqlite.hpp>

#include <stdexcept>
#include <utility>

namespace shop {

struct orders::impl {
    explicit impl(const std::string& path)
        : stored(orderproc::open_sqlite({.path = path}).value()),
          writes(*stored, orderproc::status_machine::standard(), orderproc::system_runtime()) {}
    std::unique_ptr<orderproc::storage> stored;
    orderproc::engine writes;
};

orders::orders(const std::string& path) : impl_(std::make_unique<impl>(path)) {}
orders::~orders() = default;

std::string orders::place(std::string user, std::vector<std::int64_t> item_ids,
                          std::int64_t cents) {
    orderproc::submit_order submit;
    submit.value.user = std::move(user);
    submit.value.item_ids = std::move(item_ids);
    submit.value.total_amount = {cents, "USD"};
    const auto made = impl_->writes.execute({.what = std::move(submit)});
    if (made.ec) throw std::runtime_error(made.ec.message());
    return orderproc::to_json(*made.after);
}

}  // namespace shop
