#include "core/caught.hpp"
#include "core/work_events.hpp"
#include "stages/retry_delay.hpp"
#include "stages/wake_ups_impl.hpp"

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t prefetch_limit = 65535;
constexpr std::size_t work_queue_length = 100'000;
constexpr std::string_view topic_prefix = "order.";
// For messages, with nothing else to do; stop() waits as long.
constexpr milliseconds patience{200};
// For the worker's word on what it was offered. It rings, so this is for messages meanwhile.
constexpr milliseconds claim_patience{20};
// A host asks for messages so often.
constexpr milliseconds asks_every{10};

bool reserved(std::string_view event) {
    return event == "create" || event == "edit" || event == "delete";
}

}  // namespace

queue_declaration work_queue(const status_machine& machine, std::string name) {
    queue_declaration out;
    out.name = std::move(name);
    out.length_max = work_queue_length;
    const auto bind = [&](std::string_view event) {
        if (detail::stage_woken_by(event, machine)) {
            out.topics.push_back(std::string(topic_prefix).append(event));
        }
    };
    bind("create");
    for (const transition& it : machine.transitions()) bind(it.event);
    return out;
}

namespace detail {

void wake_up_inbox::claimed(std::uint64_t connection,
                            std::span<const delivery_tag> which) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (connection != connection_) return;  // lost meanwhile: they come again
        claimed_.insert(claimed_.end(), which.begin(), which.end());  // reserved
    }
    rings.ring();
}

void wake_up_inbox::take(std::vector<delivery_tag>& out) {
    const std::lock_guard lock(mutex_);
    out.insert(out.end(), claimed_.begin(), claimed_.end());
    claimed_.clear();
}

std::uint64_t wake_up_inbox::next_connection(std::size_t prefetch) {
    const std::lock_guard lock(mutex_);
    claimed_.clear();
    claimed_.reserve(prefetch);
    return ++connection_;
}

}  // namespace detail

wake_ups::impl::impl(engine& orders, worker& works, broker& from, wake_up_options options)
    : machine_(orders.machine()),
      works_(works),
      broker_(from),
      options_(std::move(options)),
      with_(orders.with()),
      inbox_(std::make_shared<detail::wake_up_inbox>(
          options_.threads == 0 ? std::move(options_.on_ready) : nullptr)),
      link_(from, "wake_ups", orders.with()) {}

wake_ups::impl::~impl() {
    stop();
    inbox_->rings.close();
}

result<void> wake_ups::impl::start() {
    const auto prepare = [this]() -> result<void> {
        const char* wrong = nullptr;
        if (options_.queue.empty()) wrong = "queue: required";
        if (options_.poison_queue.empty()) wrong = "poison_queue: required";
        if (options_.prefetch < 1 || options_.prefetch > prefetch_limit) {
            wrong = "prefetch: 1 to 65535";
        }
        if (options_.threads > 1) wrong = "threads: 0 or 1";
        if (wrong) return failure{errc::invalid_argument, wrong};
        return {};
    };
    const auto started = life_.start(prepare, options_.threads > 0, [this] { run(); });
    if (!started) return started.error();
    if (*started) inbox_->rings.ring();
    return {};
}

void wake_ups::impl::stop() {
    stopping_ = true;
    inbox_->rings.ring();
    life_.join();
    if (options_.threads == 0) drop();
}

// What is not acknowledged comes again.
void wake_ups::impl::drop() noexcept {
    connection_ = inbox_->next_connection(0);
    unsettled_ = 0;
    messages_.reset();
}

void wake_ups::impl::run() noexcept {
    while (!stopping_) {
        cycle(patience);
        if (!messages_) {
            const auto now = with_.time.monotonic();
            inbox_->rings.wait_for(std::clamp(link_.due() - now, milliseconds(1), patience));
        } else if (unsettled_ > 0) {
            inbox_->rings.wait_for(claim_patience);
        }
    }
    drop();
}

// Nothing that is thrown here gets out: a host whose call failed would not know when to call again.
wake_up_report wake_ups::impl::cycle(milliseconds wait) noexcept {
    report_ = {};
    inbox_->rings.answer();
    try {
        connect();
        if (messages_) acknowledge();
        if (messages_) receive(wait);
    } catch (const std::exception& thrown) {
        abandon(thrown.what());
    } catch (...) {
        abandon("an unknown exception");
    }
    const auto now = with_.time.monotonic();
    report_.connected = messages_ != nullptr;
    report_.unsettled = unsettled_;
    const bool rung = inbox_->rings.rest();
    report_.next_due = rung ? now : messages_ ? now + asks_every : link_.due();
    return report_;
}

void wake_ups::impl::connect() {
    if (messages_ || stopping_ || with_.time.monotonic() < link_.due()) return;
    queue_declaration queue = work_queue(machine_, options_.queue);
    consumer_params params;
    params.queue = std::move(queue.name);
    params.topics = std::move(queue.topics);
    params.length_max = queue.length_max;
    params.prefetch = options_.prefetch;
    params.poison_queue = options_.poison_queue;
    params.keep_payloads = false;  // what is poison is settled at once
    auto made = broker_.connect_consumer(params);
    if (!made) return link_.failed(made.error());
    connection_ = inbox_->next_connection(options_.prefetch);
    unsettled_ = 0;
    messages_ = std::move(*made);
    link_.made();
}

// What was received may be half handed on: it comes again.
void wake_ups::impl::abandon(const char* thrown) noexcept {
    const failure why = detail::caught(errc::unavailable, thrown);
    with_.watch.trouble("wake_ups", why);
    lose(why);
}

void wake_ups::impl::lose(const failure& why) noexcept {
    drop();
    link_.failed(why);
}

void wake_ups::impl::acknowledge() {
    tags_.clear();
    inbox_->take(tags_);
    settlements_.clear();
    for (const delivery_tag it : tags_) settlements_.push_back({it, disposition::ack, {}});
    unsettled_ -= tags_.size();
    settle();
}

void wake_ups::impl::settle() {
    if (settlements_.empty()) return;
    auto settled = messages_->settle(settlements_);
    if (!settled) return lose(settled.error());
    link_.of_use();
    const auto acknowledged =
        std::count_if(settlements_.begin(), settlements_.end(),
                      [](const settlement& it) { return it.how == disposition::ack; });
    report_.acknowledged += static_cast<std::size_t>(acknowledged);
    report_.refused += settlements_.size() - static_cast<std::size_t>(acknowledged);
}

void wake_ups::impl::receive(milliseconds wait) {
    deliveries_.clear();
    const std::size_t room = options_.prefetch - unsettled_;
    // Nothing under way with the worker: then there is nothing but messages to wait for.
    auto received = messages_->receive(room, unsettled_ == 0 ? wait : milliseconds(0), deliveries_);
    if (!received) return lose(received.error());
    report_.received = deliveries_.size();
    settlements_.clear();
    std::vector<offer> offers;
    for (const delivery& it : deliveries_) sort(it, offers);
    deliveries_.clear();  // payloads may be long, and orders take their time
    settle();
    if (!messages_) return;
    for (offer& it : offers) hand_on(std::move(it));
}

void wake_ups::impl::sort(const delivery& it, std::vector<offer>& offers) {
    const std::string_view topic = it.body.topic;
    const std::string_view event =
        topic.starts_with(topic_prefix) ? topic.substr(topic_prefix.size()) : std::string_view();
    const char* wrong = nullptr;
    if (!reserved(event) && !machine_.find(event)) wrong = "its topic is no event of an order";
    if (!wrong && !order_id::parse(it.body.key)) wrong = "its key is no order id";
    if (wrong) {
        settlements_.push_back({it.tag, disposition::poison, wrong});
        with_.watch.message_refused(it.body.id, wrong);
        return;
    }
    const work_stage* stage = detail::stage_woken_by(event, machine_);
    if (!stage) {  // ours, but nothing to do
        settlements_.push_back({it.tag, disposition::ack, {}});
        return;
    }
    auto found = std::find_if(offers.begin(), offers.end(),
                              [&](const offer& one) { return one.stage == stage; });
    if (found == offers.end()) found = offers.insert(found, offer{stage, {}, {}});
    found->ids.push_back(it.body.key);
    found->tags.push_back(it.tag);
}

void wake_ups::impl::hand_on(offer what) {
    unsettled_ += what.tags.size();
    works_.offer(*what.stage, std::move(what.ids),
                 [inbox = inbox_, connection = connection_, tags = std::move(what.tags),
                  told = std::size_t{0}](std::size_t more) mutable {
                     inbox->claimed(connection, std::span(tags).subspan(told, more));
                     told += more;
                 });
}

wake_ups::wake_ups(engine& orders, worker& works, broker& from, wake_up_options options)
    : impl_(std::make_unique<impl>(orders, works, from, std::move(options))) {}

wake_ups::~wake_ups() = default;

wake_up_report wake_ups::run_once() {
    return impl_->cycle(std::chrono::milliseconds(0));
}

result<void> wake_ups::start() {
    return impl_->start();
}

void wake_ups::stop() {
    impl_->stop();
}

}  // namespace v1
}  // namespace orderproc
