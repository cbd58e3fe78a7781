#include <orderproc/write_records.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// All records of one call. Each has a completion, which keeps the whole alive.
class record_group {
public:
    record_group(std::size_t count, std::function<void(result<void>)> done)
        : left_(count), done_(std::move(done)) {}

    void finish(const failure& why) {
        {
            const std::lock_guard lock(mutex_);
            if (why.code && !first_.code) first_ = why;
            if (--left_ > 0) return;
        }
        done_(first_.code ? result<void>(first_) : result<void>());
    }

private:
    std::mutex mutex_;
    std::size_t left_;
    failure first_;
    const std::function<void(result<void>)> done_;
};

class one_of_group final : public record_completion {
public:
    explicit one_of_group(std::shared_ptr<record_group> of) : of_(std::move(of)) {}
    void complete(record_outcome& outcome) noexcept override {
        const std::unique_ptr<one_of_group> self(this);
        of_->finish(outcome.ec ? failure(outcome.ec, "a record was changed by somebody else")
                               : failure());
    }
    std::shared_ptr<record_group> of_;
};

}  // namespace

void write_records(engine& to, std::vector<change_record> what,
                   std::function<void(result<void>)> done) {
    if (what.empty()) return done({});
    const auto group = std::make_shared<record_group>(what.size(), std::move(done));
    for (change_record& it : what) {
        auto one = std::make_unique<one_of_group>(group);
        const auto sent = to.submit(std::move(it), *one);
        if (sent) {
            (void)one.release();  // complete() frees it
        } else {
            group->finish(sent.error());
        }
    }
}

}  // namespace v1
}  // namespace orderproc
