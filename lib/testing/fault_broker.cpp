#include <orderproc/testing/fault_broker.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds slice{20};  // how soon a call that waits sees that it was cut

failure lost_connection() {
    return {errc::unavailable, "the connection was cut by the test"};
}

// In slices, until there is something or it failed.
template <class Call, class Out>
result<void> wait_in_slices(milliseconds wait, const Out& out, Call call) {
    const std::size_t before = out.size();
    for (;;) {
        const milliseconds part = std::min(wait, slice);
        auto done = call(part);
        wait -= part;
        if (!done || out.size() > before || wait <= milliseconds(0)) return done;
    }
}

}  // namespace

// Both drop the connection inside once it is lost, as the broker would.
class fault_publisher final : public publisher {
public:
    fault_publisher(fault_broker& of, std::unique_ptr<publisher> inner)
        : of_(of), generation_(of.generation_), inner_(std::move(inner)) {}

    result<publish_tag> submit(const message& what) override {
        if (!alive()) return lost_connection();
        if (of_.held_up_) return failure(errc::overloaded);
        if (of_.happens(of_.faults_.refused)) {
            refused_.push_back({publish_tag{++last_tag_}, errc::unavailable});
            return refused_.back().tag;
        }
        const bool twice = of_.happens(of_.faults_.duplicates);
        for (int i = twice ? 0 : 1; i < 2; ++i) {
            auto tag = inner_->submit(what);
            if (!tag) return tag;
            // The report of the first copy is swallowed: its tag is nobody's.
            if (i == 1) tags_.emplace_back(*tag, publish_tag{++last_tag_});
        }
        if (of_.happens(of_.faults_.lost_confirms)) inner_.reset();
        return publish_tag{last_tag_};
    }

    result<void> poll(milliseconds wait, std::vector<published>& out) override {
        if (!refused_.empty()) wait = {};
        out.insert(out.end(), refused_.begin(), refused_.end());
        const bool told = !refused_.empty();
        refused_.clear();
        return wait_in_slices(wait, out, [&](milliseconds part) -> result<void> {
            if (!alive()) return told ? result<void>() : lost_connection();
            std::vector<published> inner;
            auto done = inner_->poll(part, inner);
            for (const published& it : inner) report(it, out);
            return done;
        });
    }

private:
    bool alive() {
        if (inner_ && of_.lost(generation_)) inner_.reset();
        return inner_ != nullptr;
    }
    void report(const published& it, std::vector<published>& out) {
        const auto found = std::find_if(tags_.begin(), tags_.end(),
                                        [&](const auto& tag) { return tag.first == it.tag; });
        if (found == tags_.end()) return;
        out.push_back({found->second, it.ec});
        tags_.erase(found);
    }

    fault_broker& of_;
    const std::uint64_t generation_;
    std::unique_ptr<publisher> inner_;
    std::uint64_t last_tag_ = 0;
    std::vector<std::pair<publish_tag, publish_tag>> tags_;  // inside, ours
    std::vector<published> refused_;
};

class fault_consumer final : public consumer {
public:
    fault_consumer(fault_broker& of, std::unique_ptr<consumer> inner)
        : of_(of), generation_(of.generation_), inner_(std::move(inner)) {}

    result<void> receive(std::size_t limit, milliseconds wait,
                         std::vector<delivery>& out) override {
        return wait_in_slices(wait, out, [&](milliseconds part) -> result<void> {
            if (!alive()) return lost_connection();
            return inner_->receive(limit, part, out);
        });
    }

    result<void> acknowledge(std::span<const acknowledgement> what) override {
        if (!alive()) return lost_connection();
        return inner_->acknowledge(what);
    }

private:
    bool alive() {
        if (inner_ && of_.lost(generation_)) inner_.reset();
        return inner_ != nullptr;
    }

    fault_broker& of_;
    const std::uint64_t generation_;
    std::unique_ptr<consumer> inner_;
};

fault_broker::fault_broker(broker& inner, broker_faults faults) noexcept
    : inner_(inner), faults_(faults), chance_(faults.seed) {}

bool fault_broker::happens(unsigned thousandths) noexcept {
    if (thousandths == 0 || healed_ || chance_.next() % 1000 >= thousandths) return false;
    ++made_;
    return true;
}

bool fault_broker::lost(std::uint64_t generation) noexcept {
    return away_ || generation != generation_ || happens(faults_.lost_connections);
}

result<std::unique_ptr<publisher>> fault_broker::connect_publisher(const publisher_params& params) {
    if (away_ || happens(faults_.refused_connections)) return lost_connection();
    auto inner = inner_.connect_publisher(params);
    if (!inner) return inner;
    return std::make_unique<fault_publisher>(*this, std::move(*inner));
}

result<std::unique_ptr<consumer>> fault_broker::connect_consumer(const consumer_params& params) {
    if (away_ || happens(faults_.refused_connections)) return lost_connection();
    auto inner = inner_.connect_consumer(params);
    if (!inner) return inner;
    return std::make_unique<fault_consumer>(*this, std::move(*inner));
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
