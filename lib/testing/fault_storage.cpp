#include <orderproc/testing/fault_storage.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {

namespace {

constexpr std::size_t kinds = 4;

std::size_t index_of(fault_call of) {
    return static_cast<std::size_t>(of);
}

struct planned {
    fault what = fault::none;
    std::optional<failure> instead;
    bool told = false;  // not by chance
};

// Uniform in [0, 1): the same for the same seed, kind and number of the call.
double chance(std::uint64_t seed, std::size_t kind, std::uint64_t call, std::uint64_t use) {
    seeded_random mixed(seed ^ (call << 3) ^ (kind << 1) ^ use);
    (void)mixed.next();
    return static_cast<double>(mixed.next() >> 11) * 0x1p-53;
}

fault pick(const fault_odds& odds, bool write, double at) {
    const std::pair<fault, double> all[] = {
        {fault::unavailable, odds.unavailable},
        {fault::connection_lost, odds.connection_lost},
        {fault::unknown_unwritten, write ? odds.unknown_unwritten : 0},
        {fault::unknown_written, write ? odds.unknown_written : 0},
    };
    for (const auto& [what, share] : all) {
        if (at < share) return what;
        at -= share;
    }
    return fault::none;
}

}  // namespace

struct fault_storage::impl {
    impl(storage& of, fault_options with) : inner(of), options(std::move(with)) {}

    // What is to happen to a call that is made now.
    result<void> begin_connect();
    planned begin(fault_call of, const write_params* write) {
        if (hook) hook({of, write});
        planned out;
        std::chrono::microseconds delay{0};
        {
            const std::lock_guard lock(mutex);
            const std::uint64_t n = made[index_of(of)]++;
            auto& told = plan[index_of(of)];
            if (!told.empty()) {
                out = std::move(told.front());
                told.pop_front();
            } else if (!calm) {
                out.what = pick(odds_of(of), of == fault_call::write,
                                chance(options.seed, index_of(of), n, 0));
            }
            if (out.what != fault::none) ++happened;
            if (!calm && options.delay_max.count() > 0) {
                const double share = chance(options.seed, index_of(of), n, 1);
                delay = std::chrono::microseconds(static_cast<std::int64_t>(
                    share * static_cast<double>(options.delay_max.count() + 1)));
            }
        }
        if (delay.count() > 0) std::this_thread::sleep_for(delay);
        return out;
    }

    const fault_odds& odds_of(fault_call of) const {
        switch (of) {
            case fault_call::connect:
                return options.connect;
            case fault_call::write:
                return options.write;
            case fault_call::was_applied:
                return options.was_applied;
            case fault_call::read:
                break;
        }
        return options.read;
    }

    storage& inner;
    const fault_options options;
    std::function<void(const fault_site&)> hook;
    mutable std::mutex mutex;
    std::array<std::deque<planned>, kinds> plan;
    std::array<std::uint64_t, kinds> made{};
    std::size_t happened = 0;
    std::uint64_t generation = 0;  // connections of an earlier one are lost
    std::size_t open = 0, open_max = 0;
    bool calm = false;
};

namespace {

failure failure_of(const planned& it, std::uint64_t seed) {
    if (it.instead) return *it.instead;
    const bool unknown = it.what == fault::unknown_unwritten || it.what == fault::unknown_written;
    return {unknown ? errc::outcome_unknown : errc::unavailable,
            it.told ? "as told (fault_storage)"
                    : "by chance, seed " + std::to_string(seed) + " (fault_storage)"};
}

bool loses_connection(fault what) {
    return what == fault::connection_lost || what == fault::unknown_unwritten ||
           what == fault::unknown_written;
}

}  // namespace

// Base: repository_reader, or repository for one that writes as well.
template <class Base>
class fault_storage::reading : public Base {
public:
    reading(std::shared_ptr<impl> home, std::unique_ptr<Base> inner)
        : home_(std::move(home)), inner_(std::move(inner)) {
        const std::lock_guard lock(home_->mutex);
        generation_ = home_->generation;
        home_->open_max = std::max(home_->open_max, ++home_->open);
    }
    ~reading() override {
        inner_.reset();
        const std::lock_guard lock(home_->mutex);
        --home_->open;
    }

    result<loaded_orders> load(const load_params& params) override {
        return call(fault_call::read, [&] { return inner_->load(params); });
    }
    result<order_page> list(const list_params& params) override {
        return call(fault_call::read, [&] { return inner_->list(params); });
    }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return call(fault_call::read, [&] { return inner_->history(params); });
    }
    result<feed_page> read_feed(const feed_params& params) override {
        return call(fault_call::read, [&] { return inner_->read_feed(params); });
    }
    result<feed_position> find_position(timestamp at) override {
        return call(fault_call::read, [&] { return inner_->find_position(at); });
    }
    result<statistics> count() override {
        return call(fault_call::read, [&] { return inner_->count(); });
    }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return call(fault_call::read, [&] { return inner_->find_cursor(name); });
    }
    result<std::vector<named_cursor>> list_cursors() override {
        return call(fault_call::read, [&] { return inner_->list_cursors(); });
    }
    result<std::optional<record>> find_record(const find_record_params& params) override {
        return call(fault_call::read, [&] { return inner_->find_record(params); });
    }
    result<record_page> list_records(const list_records_params& params) override {
        return call(fault_call::read, [&] { return inner_->list_records(params); });
    }
    result<record_page> list_due_records(const list_due_records_params& params) override {
        return call(fault_call::read, [&] { return inner_->list_due_records(params); });
    }

protected:
    result<void> check() {
        const std::lock_guard lock(home_->mutex);
        lost_ = lost_ || generation_ != home_->generation;
        if (!lost_) return {};
        return failure{errc::unavailable, "the connection is lost, says fault_storage"};
    }
    template <class Body>
    auto call(fault_call of, const Body& body) -> decltype(body()) {
        const planned it = home_->begin(of, nullptr);
        if (auto broken = check(); !broken) return broken.error();
        if (it.what == fault::none) return body();
        lost_ = loses_connection(it.what);
        if (it.what == fault::throws || it.what == fault::throws_written) throw std::bad_alloc();
        return failure_of(it, home_->options.seed);
    }

    std::shared_ptr<impl> home_;
    std::unique_ptr<Base> inner_;
    bool lost_ = false;

private:
    std::uint64_t generation_ = 0;
};

class fault_storage::writing final : public reading<repository> {
public:
    using reading::reading;

    result<void> write(const write_params& params, write_results& results) override {
        const planned it = home_->begin(fault_call::write, &params);
        if (auto broken = check(); !broken) return broken;
        lost_ = loses_connection(it.what);
        if (it.what == fault::throws) throw std::bad_alloc();
        const bool written = it.what == fault::none || it.what == fault::unknown_written ||
                             it.what == fault::throws_written;
        if (!written) return failure_of(it, home_->options.seed);
        auto done = inner_->write(params, results);
        if (!done || it.what == fault::none) return done;
        if (it.what == fault::throws_written) throw std::bad_alloc();
        return failure_of(it, home_->options.seed);
    }
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override {
        return call(fault_call::was_applied, [&] { return inner_->was_applied(writer, sequence); });
    }
    result<void> rotate_epoch(std::uint64_t epoch) override {
        return call(fault_call::write, [&] { return inner_->rotate_epoch(epoch); });
    }
    result<bool> tidy() override {
        if (auto broken = check(); !broken) return broken.error();
        return inner_->tidy();
    }
};

fault_storage::fault_storage(storage& inner, fault_options options)
    : impl_(std::make_shared<impl>(inner, std::move(options))) {}
fault_storage::~fault_storage() = default;

storage_info fault_storage::info() const {
    storage_info out = impl_->inner.info();
    out.name = "fault:" + out.name;
    return out;
}

result<void> fault_storage::impl::begin_connect() {
    const planned it = begin(fault_call::connect, nullptr);
    if (it.what == fault::throws || it.what == fault::throws_written) throw std::bad_alloc();
    if (it.what != fault::none) return failure_of(it, options.seed);
    return {};
}

result<std::unique_ptr<repository>> fault_storage::connect_writer() {
    if (auto ok = impl_->begin_connect(); !ok) return std::move(ok).error();
    auto inner = impl_->inner.connect_writer();
    if (!inner) return inner;
    return std::make_unique<writing>(impl_, std::move(*inner));
}

result<std::unique_ptr<repository_reader>> fault_storage::connect_reader() {
    if (auto ok = impl_->begin_connect(); !ok) return std::move(ok).error();
    auto inner = impl_->inner.connect_reader();
    if (!inner) return inner;
    return std::make_unique<reading<repository_reader>>(impl_, std::move(*inner));
}

result<std::unique_ptr<commit_watch>> fault_storage::watch() {
    return impl_->inner.watch();
}

void fault_storage::next(fault_call of, fault what, std::optional<failure> instead) {
    const std::lock_guard lock(impl_->mutex);
    impl_->plan[index_of(of)].push_back({what, std::move(instead), true});
}
void fault_storage::lose_connections() {
    const std::lock_guard lock(impl_->mutex);
    ++impl_->generation;
}
void fault_storage::calm() {
    const std::lock_guard lock(impl_->mutex);
    impl_->calm = true;
}
void fault_storage::on_call(std::function<void(const fault_site&)> hook) {
    impl_->hook = std::move(hook);
}
std::size_t fault_storage::calls(fault_call of) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->made[index_of(of)];
}
std::size_t fault_storage::faults() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->happened;
}
std::size_t fault_storage::open_max() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->open_max;
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
