#include "core/caught.hpp"
#include "core/work_events.hpp"
#include "stages/broker/work_queue_consumer_impl.hpp"
#include "stages/common/retry_delay.hpp"

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
constexpr milliseconds timeout{200};
// For the worker's word on what it was offered. A completed claim notifies, so this is how often
// messages are looked for meanwhile.
constexpr milliseconds claim_timeout{20};
// A host asks for messages so often.
constexpr milliseconds asks_every{10};

// Of the stages that are wanted.
template <class Wanted>
queue_declaration queue_of(const status_machine& machine, std::string name, const Wanted& wanted) {
    queue_declaration out;
    out.name = std::move(name);
    out.length_max = work_queue_length;
    const auto bind = [&](std::string_view event) {
        const work_stage* const woken = detail::stage_woken_by(event, machine);
        if (woken && wanted(*woken)) {
            out.topics.push_back(std::string(topic_prefix).append(event));
        }
    };
    bind("create");
    for (const transition& it : machine.transitions()) bind(it.event);
    return out;
}

}  // namespace

queue_declaration work_queue(const status_machine& machine, std::string name) {
    return queue_of(machine, std::move(name), [](const work_stage&) { return true; });
}

queue_declaration work_queue(const status_machine& machine, order_status active, std::string name) {
    return queue_of(machine, std::move(name),
                    [&](const work_stage& it) { return it.active == active; });
}

namespace detail {

void work_queue_mailbox::claimed(std::uint64_t connection,
                                 std::span<const delivery_tag> which) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (connection != connection_) return;  // lost meanwhile: they come again
        claimed_.insert(claimed_.end(), which.begin(), which.end());  // reserved
    }
    notifier.notify();
}

void work_queue_mailbox::take(std::vector<delivery_tag>& out) {
    const std::lock_guard lock(mutex_);
    out.insert(out.end(), claimed_.begin(), claimed_.end());
    claimed_.clear();
}

std::uint64_t work_queue_mailbox::next_connection(std::size_t prefetch) {
    const std::lock_guard lock(mutex_);
    claimed_.clear();
    claimed_.reserve(prefetch);
    return ++connection_;
}

}  // namespace detail

work_queue_consumer::impl::impl(engine& orders, worker& works, broker& from,
                                work_queue_options options)
    : machine_(orders.machine()),
      works_(works),
      broker_(from),
      options_(std::move(options)),
      with_(orders.runtime()),
      mailbox_(std::make_shared<detail::work_queue_mailbox>(
          options_.threads == 0 ? std::move(options_.on_ready) : nullptr)),
      link_(from, "wake_ups", orders.runtime()) {}

work_queue_consumer::impl::~impl() {
    stop();
    mailbox_->notifier.close();
}

result<void> work_queue_consumer::impl::start() {
    const auto prepare = [this]() -> result<void> {
        const char* wrong = nullptr;
        if (options_.queue.empty()) wrong = "queue: required";
        if (options_.poison_queue.empty()) wrong = "poison_queue: required";
        if (options_.prefetch < 1 || options_.prefetch > prefetch_limit) {
            wrong = "prefetch: 1 to 65535";
        }
        if (options_.threads > 1) wrong = "threads: 0 or 1";
        if (options_.stage && !machine_.stage_active_in(*options_.stage)) {
            wrong = "stage: not one of the machine";
        }
        if (wrong) return failure{errc::invalid_argument, wrong};
        return {};
    };
    const auto started = life_.start(prepare, options_.threads > 0, [this] { run(); });
    if (!started) return started.error();
    if (*started) mailbox_->notifier.notify();
    return {};
}

void work_queue_consumer::impl::stop() {
    stopping_ = true;
    mailbox_->notifier.notify();
    life_.join();
    if (options_.threads == 0) drop();
}

// What is not acknowledged comes again.
void work_queue_consumer::impl::drop() noexcept {
    connection_ = mailbox_->next_connection(0);
    unacknowledged_ = 0;
    messages_.reset();
}

void work_queue_consumer::impl::run() noexcept {
    while (!stopping_) {
        cycle(timeout);
        if (!messages_) {
            const auto now = with_.time.monotonic();
            mailbox_->notifier.wait_for(std::clamp(link_.due() - now, milliseconds(1), timeout));
        } else if (unacknowledged_ > 0) {
            mailbox_->notifier.wait_for(claim_timeout);
        }
    }
    drop();
}

// Nothing that is thrown here gets out: a host whose call failed would not know when to call again.
work_queue_report work_queue_consumer::impl::cycle(milliseconds wait) noexcept {
    report_ = {};
    mailbox_->notifier.begin();
    try {
        connect();
        if (messages_) acknowledge_claimed();
        if (messages_) receive(wait);
    } catch (const std::exception& thrown) {
        abandon(thrown.what());
    } catch (...) {
        abandon("an unknown exception");
    }
    const auto now = with_.time.monotonic();
    report_.connected = messages_ != nullptr;
    report_.unacknowledged = unacknowledged_;
    const bool notified = mailbox_->notifier.end();
    report_.next_due = notified ? now : messages_ ? now + asks_every : link_.due();
    return report_;
}

void work_queue_consumer::impl::connect() {
    if (messages_ || stopping_ || with_.time.monotonic() < link_.due()) return;
    queue_declaration queue = options_.stage ? work_queue(machine_, *options_.stage, options_.queue)
                                             : work_queue(machine_, options_.queue);
    consumer_params params;
    params.queue = std::move(queue.name);
    params.topics = std::move(queue.topics);
    params.length_max = queue.length_max;
    params.prefetch = options_.prefetch;
    params.poison_queue = options_.poison_queue;
    params.keep_payloads = false;  // what is poison is settled at once
    auto made = broker_.connect_consumer(params);
    if (!made) return link_.failed(made.error());
    connection_ = mailbox_->next_connection(options_.prefetch);
    unacknowledged_ = 0;
    messages_ = std::move(*made);
    link_.made();
}

// What was received may be half handed on: it comes again.
void work_queue_consumer::impl::abandon(const char* thrown) noexcept {
    const failure why = detail::caught(errc::unavailable, thrown);
    with_.observer.error("wake_ups", why);
    lose(why);
}

void work_queue_consumer::impl::lose(const failure& why) noexcept {
    drop();
    link_.failed(why);
}

void work_queue_consumer::impl::acknowledge_claimed() {
    tags_.clear();
    mailbox_->take(tags_);
    acknowledgements_.clear();
    for (const delivery_tag it : tags_) acknowledgements_.push_back({it, disposition::ack, {}});
    unacknowledged_ -= tags_.size();
    answer_messages();
}

void work_queue_consumer::impl::answer_messages() {
    if (acknowledgements_.empty()) return;
    auto done = messages_->acknowledge(acknowledgements_);
    if (!done) return lose(done.error());
    link_.of_use();
    const auto acknowledged =
        std::count_if(acknowledgements_.begin(), acknowledgements_.end(),
                      [](const acknowledgement& it) { return it.how == disposition::ack; });
    report_.acknowledged += static_cast<std::size_t>(acknowledged);
    report_.refused += acknowledgements_.size() - static_cast<std::size_t>(acknowledged);
}

void work_queue_consumer::impl::receive(milliseconds wait) {
    deliveries_.clear();
    const std::size_t room = options_.prefetch - unacknowledged_;
    // Nothing under way with the worker: then there is nothing but messages to wait for.
    auto received =
        messages_->receive(room, unacknowledged_ == 0 ? wait : milliseconds(0), deliveries_);
    if (!received) return lose(received.error());
    report_.received = deliveries_.size();
    acknowledgements_.clear();
    std::vector<hint> hints;
    for (const delivery& it : deliveries_) sort(it, hints);
    deliveries_.clear();  // payloads may be long, and orders take their time
    answer_messages();
    if (!messages_) return;
    for (hint& it : hints) hand_on(std::move(it));
}

void work_queue_consumer::impl::sort(const delivery& it, std::vector<hint>& hints) {
    const std::string_view topic = it.body.topic;
    const std::string_view event =
        topic.starts_with(topic_prefix) ? topic.substr(topic_prefix.size()) : std::string_view();
    const char* wrong = nullptr;
    if (!is_engine_event(event) && !machine_.find(event))
        wrong = "its topic is no event of an order";
    if (!wrong && !order_id::parse(it.body.key)) wrong = "its key is no order id";
    if (wrong) {
        acknowledgements_.push_back({it.tag, disposition::poison, wrong});
        with_.observer.message_refused(it.body.id, wrong);
        return;
    }
    const work_stage* stage = detail::stage_woken_by(event, machine_);
    if (!stage) {  // ours, but nothing to do
        acknowledgements_.push_back({it.tag, disposition::ack, {}});
        return;
    }
    auto found = std::find_if(hints.begin(), hints.end(),
                              [&](const hint& one) { return one.stage == stage; });
    if (found == hints.end()) found = hints.insert(found, hint{stage, {}, {}});
    found->ids.push_back(it.body.key);
    found->tags.push_back(it.tag);
}

void work_queue_consumer::impl::hand_on(hint what) {
    unacknowledged_ += what.tags.size();
    works_.hint(*what.stage, std::move(what.ids),
                [mailbox = mailbox_, connection = connection_, tags = std::move(what.tags),
                 told = std::size_t{0}](std::size_t more) mutable {
                    mailbox->claimed(connection, std::span(tags).subspan(told, more));
                    told += more;
                });
}

work_queue_consumer::work_queue_consumer(engine& orders, worker& works, broker& from,
                                         work_queue_options options)
    : impl_(std::make_unique<impl>(orders, works, from, std::move(options))) {}

work_queue_consumer::~work_queue_consumer() = default;

work_queue_report work_queue_consumer::run_once() {
    return impl_->cycle(std::chrono::milliseconds(0));
}

clock::instant work_queue_consumer::next_due() const noexcept {
    return impl_->due();
}

result<void> work_queue_consumer::start() {
    return impl_->start();
}

void work_queue_consumer::stop() {
    impl_->stop();
}

}  // namespace v1
}  // namespace orderproc
