#ifndef ORDERPROC_TESTS_CONFORMANCE_READER_AS_REPOSITORY_HPP
#define ORDERPROC_TESTS_CONFORMANCE_READER_AS_REPOSITORY_HPP

// A reading connection in the place of one that writes as well, for wrappers that take either.

#include <orderproc/repository.hpp>

#include <memory>
#include <utility>

class reader_as_repository final : public orderproc::repository {
public:
    explicit reader_as_repository(std::unique_ptr<orderproc::repository_reader> inner)
        : inner_(std::move(inner)) {}

    orderproc::result<void> write(const orderproc::write_params&,
                                  orderproc::write_results&) override {
        return orderproc::errc::not_supported;
    }
    orderproc::result<bool> was_applied(std::string_view, std::uint64_t) override {
        return orderproc::errc::not_supported;
    }
    orderproc::result<orderproc::loaded_orders> load(
        const orderproc::load_params& params) override {
        return inner_->load(params);
    }
    orderproc::result<orderproc::order_page> list(const orderproc::list_params& params) override {
        return inner_->list(params);
    }
    orderproc::result<std::vector<orderproc::journal_entry>> history(
        const orderproc::history_params& params) override {
        return inner_->history(params);
    }
    orderproc::result<orderproc::feed_page> read_feed(
        const orderproc::feed_params& params) override {
        return inner_->read_feed(params);
    }
    orderproc::result<orderproc::feed_position> find_position(orderproc::timestamp at) override {
        return inner_->find_position(at);
    }
    orderproc::result<orderproc::statistics> count() override { return inner_->count(); }
    orderproc::result<std::optional<orderproc::feed_position>> find_cursor(
        std::string_view name) override {
        return inner_->find_cursor(name);
    }
    orderproc::result<std::vector<orderproc::named_cursor>> list_cursors() override {
        return inner_->list_cursors();
    }
    orderproc::result<std::optional<orderproc::record>> find_record(
        const orderproc::find_record_params& params) override {
        return inner_->find_record(params);
    }
    orderproc::result<orderproc::record_page> list_records(
        const orderproc::list_records_params& params) override {
        return inner_->list_records(params);
    }
    orderproc::result<orderproc::record_page> list_due_records(
        const orderproc::list_due_records_params& params) override {
        return inner_->list_due_records(params);
    }

private:
    std::unique_ptr<orderproc::repository_reader> inner_;
};

#endif
