// Webhooks in a host's own program: the sender with a client of the host's, and what a receiver has
// to do: verify, remember what it has seen, and go by the order's version.
//
// Here both are in one process, and the client hands the request to the receiver. A real one makes
// an HTTPS request, and judges each address before it connects: whoever names an endpoint must not
// make the host call its own network.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/webhooks.hpp>

#include <condition_variable>
#include <cstdio>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

using namespace orderproc;

namespace {

class receiver {
public:
    explicit receiver(webhook_secret secret) : secret_(std::move(secret)) {}

    // The status of the answer. It is quick: whatever takes longer is done afterwards.
    unsigned handle(const webhook_headers& headers, std::string_view body) {
        const timestamp now = system_runtime().time.now();
        if (!verify_webhook(secret_, headers, body, now)) return 401;
        const std::lock_guard lock(mutex_);
        if (std::exchange(busy_, false)) return 503;  // it comes again, with the same webhook-id
        if (!seen_.insert(std::string(headers.id)).second) return 204;  // it was here before
        std::printf("%s\n", std::string(body.substr(0, body.find(",\"data\""))).c_str());
        changed_.notify_all();
        return 204;
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return seen_.size() >= count; });
    }

private:
    const webhook_secret secret_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> seen_;
    bool busy_ = true;  // the first time
};

class local_client final : public webhook_client {
public:
    explicit local_client(receiver& to) : to_(to) {}

    void deliver(webhook_request what, std::stop_token,
                 std::function<void(webhook_response)> done) override {
        const auto field = [&](std::string_view name) -> std::string_view {
            for (const auto& [key, value] : what.fields) {
                if (key == name) return value;
            }
            return {};
        };
        webhook_response answer;
        answer.status = to_.handle(
            {field("webhook-id"), field("webhook-timestamp"), field("webhook-signature")},
            what.body);
        done(std::move(answer));
    }

private:
    receiver& to_;
};

void run(engine& orders, command what) {
    const change_outcome done = orders.execute(std::move(what));
    if (done.ec) throw boost::system::system_error(done.ec, done.detail);
}

void place(engine& orders, const std::string& id) {
    submit_order create;
    create.value.id = order_id::parse(id).value();
    create.value.user = "7";
    create.value.item_ids = {1001};
    create.value.total_amount = {100, "USD"};
    run(orders, {.what = std::move(create)});
}

}  // namespace

int main() {
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(*stored);

    // A host keeps such a key apart from the storage: in a file that only it can read, say.
    const auto keys = webhook_keys::parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").value();
    create_webhook_params wanted;
    wanted.draft.url = "https://shop.example/hooks";
    wanted.now = system_runtime().time.now();
    const auto made =
        reads.use([&](repository_reader& from) { return create_webhook(from, wanted, keys); })
            .value();
    write_records(orders, made.records, [](result<void> written) { written.value(); });

    receiver shop(webhook_secret::parse(made.secret).value());
    local_client client(shop);
    webhook_sender_options options;
    options.keys = keys;
    options.retries = {std::chrono::milliseconds(50), std::chrono::seconds(5)};
    webhook_sender sender(orders, reads, client, options);
    sender.start().value();
    place(orders, "A");
    place(orders, "B");
    run(orders, {.what = raise_event{"A", "cancel", ""}});
    shop.wait_for(3);
    sender.stop(std::chrono::seconds(5));
    return 0;
}
