// Brokers that break one promise each, and the case that has to notice.

#include <orderproc/memory.hpp>
#include <orderproc/testing/broker_cases.hpp>
#include <orderproc/testing/fault_broker.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace orderproc;
using std::chrono::milliseconds;

// Empty ones do nothing.
struct hooks {
    std::function<void(message&)> submit_in;
    std::function<bool(std::size_t under_way)> swallow;  // a submit: a tag, and nothing else
    std::function<void(result<publish_tag>&)> submit_out;
    std::function<void(std::vector<published>&)> poll_out;
    std::function<void(std::size_t& limit)> receive_in;
    std::function<void(std::vector<delivery>&)> receive_out;
    std::function<void(std::vector<acknowledgement>&)> settle_in;
    std::function<void(result<void>&)> settle_out;
    std::function<void(publisher_params&)> publisher_in;
    std::function<void(consumer_params&)> consumer_in;
    bool acks_at_the_end = false;  // what a consumer did not settle
    bool idle_breaks = false;      // a connection with nothing to do
    bool never_notices = false;    // that a connection was lost
};

template <class Hook, class... Args>
void call(const Hook& hook, Args&&... args) {
    if (hook) hook(std::forward<Args>(args)...);
}

class mutant_publisher final : public publisher {
public:
    mutant_publisher(std::unique_ptr<publisher> inner, const hooks& with)
        : inner_(std::move(inner)), with_(with) {}
    result<publish_tag> submit(const message& what) override {
        message copy = what;
        call(with_.submit_in, copy);
        if (with_.swallow && with_.swallow(++submitted_)) {
            copy.topic = "nowhere";
            copy.must_route = false;
        }
        auto out = inner_->submit(copy);
        call(with_.submit_out, out);
        return out;
    }
    result<void> poll(milliseconds wait, std::vector<published>& out) override {
        std::vector<published> told;
        auto done = inner_->poll(wait, told);
        if (with_.idle_breaks && told.empty()) return failure(errc::unavailable);
        if (with_.never_notices) done = {};
        call(with_.poll_out, told);
        out.insert(out.end(), told.begin(), told.end());
        return done;
    }

private:
    std::unique_ptr<publisher> inner_;
    const hooks& with_;
    std::size_t submitted_ = 0;
};

class mutant_consumer final : public consumer {
public:
    mutant_consumer(std::unique_ptr<consumer> inner, const hooks& with)
        : inner_(std::move(inner)), with_(with) {}
    ~mutant_consumer() override {
        if (!with_.acks_at_the_end) return;
        for (const delivery_tag tag : held_) {
            const acknowledgement one{tag, disposition::ack, {}};
            (void)inner_->acknowledge({&one, 1});
        }
    }
    result<void> receive(std::size_t limit, milliseconds wait,
                         std::vector<delivery>& out) override {
        call(with_.receive_in, limit);
        std::vector<delivery> got;
        auto done = inner_->receive(limit, wait, got);
        for (const delivery& it : got) held_.insert(it.tag);
        call(with_.receive_out, got);
        out.insert(out.end(), got.begin(), got.end());
        return done;
    }
    result<void> acknowledge(std::span<const acknowledgement> what) override {
        std::vector<acknowledgement> copy(what.begin(), what.end());
        call(with_.settle_in, copy);
        auto out = inner_->acknowledge(copy);
        for (const acknowledgement& it : copy) held_.erase(it.tag);
        call(with_.settle_out, out);
        return out;
    }

private:
    std::unique_ptr<consumer> inner_;
    const hooks& with_;
    std::set<delivery_tag> held_;
};

class mutant_broker final : public broker {
public:
    mutant_broker(broker& inner, const hooks& with) : inner_(inner), with_(with) {}
    broker_info info() const override { return inner_.info(); }
    result<std::unique_ptr<publisher>> connect_publisher(const publisher_params& params) override {
        publisher_params copy = params;
        call(with_.publisher_in, copy);
        auto made = inner_.connect_publisher(copy);
        if (!made) return made;
        return std::make_unique<mutant_publisher>(std::move(*made), with_);
    }
    result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) override {
        consumer_params copy = params;
        call(with_.consumer_in, copy);
        auto made = inner_.connect_consumer(copy);
        if (!made) return made;
        return std::make_unique<mutant_consumer>(std::move(*made), with_);
    }

private:
    broker& inner_;
    const hooks& with_;
};

class mutant_harness final : public testing::broker_harness {
public:
    mutant_harness(hooks with, milliseconds timeout) : with_(std::move(with)), patience_(timeout) {}
    std::unique_ptr<broker> open() override {
        return std::make_unique<mutant_broker>(faulty_, with_);
    }
    bool cut_connections() override {
        faulty_.cut();
        return true;
    }
    milliseconds idle_time() override { return milliseconds(50); }
    milliseconds timeout() override { return patience_; }

private:
    hooks with_;
    milliseconds patience_;
    std::unique_ptr<broker> memory_ = make_memory_broker();
    testing::fault_broker faulty_{*memory_};
};

struct mutant {
    const char* name;
    const char* noticed_by;
    void (*make)(hooks& h);
};
std::ostream& operator<<(std::ostream& out, const mutant& it) {
    return out << it.name;
}

std::optional<std::string> run(std::string_view name, hooks with, milliseconds timeout) {
    for (const auto& it : testing::broker_cases()) {
        if (it.name != name) continue;
        mutant_harness harness(std::move(with), timeout);
        try {
            it.run(harness);
        } catch (const testing::case_failed& failed) {
            return failed.what();
        }
        return std::nullopt;
    }
    throw std::invalid_argument("no case " + std::string(name));
}

const mutant mutants[] = {
    {"payload cut at a NUL", "bytes_survive",
     [](hooks& h) { h.submit_in = [](message& it) { it.payload = it.payload.c_str(); }; }},
    {"headers sorted", "bytes_survive",
     [](hooks& h) {
         h.submit_in = [](message& it) { std::sort(it.headers.begin(), it.headers.end()); };
     }},
    {"content type without parameters", "bytes_survive",
     [](hooks& h) {
         h.submit_in = [](message& it) {
             it.content_type = it.content_type.substr(0, it.content_type.find(';'));
         };
     }},
    {"key lost", "bytes_survive",
     [](hooks& h) { h.submit_in = [](message& it) { it.key.clear(); }; }},
    {"a new id", "bytes_survive",
     [](hooks& h) { h.submit_in = [](message& it) { it.id += "x"; }; }},
    {"cuts what is too long", "too_long_is_refused",
     [](hooks& h) {
         h.submit_in = [](message& it) {
             for (auto* text : {&it.id, &it.topic, &it.key, &it.content_type}) {
                 text->resize(std::min<std::size_t>(text->size(), 255));
             }
         };
     }},
    {"a report is lost", "every_message_is_reported_once",
     [](hooks& h) {
         h.poll_out = [](auto& told) {
             if (told.size() > 10) told.pop_back();
         };
     }},
    {"a report comes twice", "every_message_is_reported_once",
     [](hooks& h) {
         h.poll_out = [](auto& told) {
             if (!told.empty()) told.push_back(told.front());
         };
     }},
    {"multiple acks report the last only", "every_message_is_reported_once",
     [](hooks& h) {
         h.poll_out = [](auto& told) {
             if (told.size() > 1) told.erase(told.begin(), told.end() - 1);
         };
     }},
    {"a refusal nobody asked for", "every_message_is_reported_once",
     [](hooks& h) {
         h.poll_out = [](auto& told) {
             if (!told.empty()) told.back().ec = errc::unavailable;
         };
     }},
    {"tags begin at 0", "every_message_is_reported_once",
     [](hooks& h) {
         h.submit_out = [](auto& tag) {
             if (tag) tag = publish_tag{static_cast<std::uint64_t>(*tag) - 1};
         };
         h.poll_out = [](auto& told) {
             for (auto& it : told) it.tag = publish_tag{static_cast<std::uint64_t>(it.tag) - 1};
         };
     }},
    {"a window one too large", "a_full_window_refuses",
     [](hooks& h) { h.publisher_in = [](publisher_params& it) { ++it.window; }; }},
    {"a window one too small", "a_full_window_refuses",
     [](hooks& h) { h.publisher_in = [](publisher_params& it) { --it.window; }; }},
    {"a full window blames the connection", "a_full_window_refuses",
     [](hooks& h) {
         h.submit_out = [](auto& tag) {
             if (!tag) tag = failure(errc::unavailable);
         };
     }},
    {"newest first", "keys_keep_their_order",
     [](hooks& h) { h.receive_out = [](auto& got) { std::reverse(got.begin(), got.end()); }; }},
    {"* is #", "topics_are_matched",
     [](hooks& h) {
         h.consumer_in = [](consumer_params& it) {
             for (auto& topic : it.topics) std::replace(topic.begin(), topic.end(), '*', '#');
         };
     }},
    {"bound to the first topic alone", "topics_are_matched",
     [](hooks& h) { h.consumer_in = [](consumer_params& it) { it.topics.resize(1); }; }},
    {"must_route ignored", "unroutable_is_reported",
     [](hooks& h) { h.submit_in = [](message& it) { it.must_route = false; }; }},
    {"must_route for all", "unroutable_is_reported",
     [](hooks& h) { h.submit_in = [](message& it) { it.must_route = true; }; }},
    {"a return taken for the neighbour's", "unroutable_is_reported",
     [](hooks& h) {
         h.poll_out = [](auto& told) {
             for (std::size_t i = 0; i + 1 < told.size(); ++i) {
                 if (!told[i].ec) continue;
                 std::swap(told[i].ec, told[i + 1].ec);
                 ++i;
             }
         };
     }},
    {"publishers declare nothing", "publishers_declare_queues",
     [](hooks& h) { h.publisher_in = [](publisher_params& it) { it.queues.clear(); }; }},
    {"no limit on queues", "the_oldest_are_dropped",
     [](hooks& h) {
         h.publisher_in = [](publisher_params& it) {
             for (auto& queue : it.queues) queue.length_max = 0;
         };
         h.consumer_in = [](consumer_params& it) { it.length_max = 0; };
     }},
    {"everybody gets everything", "consumers_share_a_queue",
     [](hooks& h) {
         h.consumer_in = [n = 0](consumer_params& it) mutable { it.queue += std::to_string(++n); };
     }},
    {"acks are forgotten", "acknowledged_is_gone",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             std::erase_if(what, [](auto& it) { return it.how == disposition::ack; });
         };
     }},
    {"only the last of a batch is acknowledged", "acknowledged_is_gone",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             if (what.size() > 1) what.erase(what.begin(), what.end() - 1);
         };
     }},
    {"acknowledged on arrival", "unsettled_come_back", [](hooks& h) { h.acks_at_the_end = true; }},
    {"queues end with their consumers", "messages_wait_without_consumers",
     [](hooks& h) {
         h.consumer_in = [n = 0](consumer_params& it) mutable { it.queue += std::to_string(++n); };
     }},
    {"a limit of 0 is none", "a_limit_is_kept",
     [](hooks& h) {
         h.receive_in = [](std::size_t& limit) {
             if (limit == 0) limit = 1;
         };
     }},
    {"beyond the limit", "a_limit_is_kept",
     [](hooks& h) { h.receive_in = [](std::size_t& limit) { limit += limit > 1 ? 2 : 0; }; }},
    {"any number of bytes", "bytes_are_bounded",
     [](hooks& h) { h.consumer_in = [](consumer_params& it) { it.receive_bytes_max = 1 << 30; }; }},
    {"prefetch ignored", "prefetch_bounds",
     [](hooks& h) { h.consumer_in = [](consumer_params& it) { it.prefetch = 65535; }; }},
    {"requeue is ack", "requeued_come_again",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             for (auto& it : what) it.how = disposition::ack;
         };
     }},
    {"one requeue takes its neighbours", "requeued_come_again",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             if (what.size() < 4) return;
             for (auto& it : what) it.how = disposition::requeue;
         };
     }},
    {"poison is thrown away", "poison_is_put_aside",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             for (auto& it : what) {
                 if (it.how == disposition::poison) it.how = disposition::ack;
             }
         };
     }},
    {"poison without its reason", "poison_is_put_aside",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             for (auto& it : what) it.reason.clear();
         };
     }},
    {"poison comes again", "poison_is_put_aside",
     [](hooks& h) {
         h.settle_in = [](auto& what) {
             for (auto& it : what) {
                 if (it.how == disposition::poison) it.how = disposition::requeue;
             }
         };
     }},
    {"unknown tags are fine", "each_is_settled_once",
     [](hooks& h) { h.settle_out = [](auto& out) { out = result<void>(); }; }},
    {"idle connections break", "an_idle_connection_stays", [](hooks& h) { h.idle_breaks = true; }},
    {"a lost connection is not noticed", "a_lost_connection_loses_nothing",
     [](hooks& h) { h.never_notices = true; }},
    {"acknowledged before it is settled", "a_lost_connection_loses_nothing",
     [](hooks& h) {
         h.receive_in = [](std::size_t& limit) { limit = std::min<std::size_t>(limit, 100); };
         h.swallow = [](std::size_t n) { return n % 100 == 7; };
     }},
    {"limits are not compared", "a_mismatch_is_told",
     [](hooks& h) { h.consumer_in = [](consumer_params& it) { it.length_max = 100; }; }},
    {"no prefetch is some", "nonsense_is_refused",
     [](hooks& h) {
         h.consumer_in = [](consumer_params& it) {
             it.prefetch = std::clamp<std::size_t>(it.prefetch, 1, 65535);
         };
     }},
    {"no window is some", "nonsense_is_refused",
     [](hooks& h) {
         h.publisher_in = [](publisher_params& it) {
             it.window = std::max<std::size_t>(it.window, 1);
         };
     }},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_mutant_is_noticed, boost::unit_test::data::make(mutants)) {
    hooks with;
    sample.make(with);
    const auto noticed = run(sample.noticed_by, std::move(with), milliseconds(300));
    BOOST_TEST(noticed.has_value(), sample.noticed_by << " does not notice: " << sample.name);
    if (noticed) BOOST_TEST_MESSAGE(sample.name << ": " << *noticed);
}

BOOST_AUTO_TEST_CASE(every_case_that_can_run_has_a_mutant) {
    std::set<std::string> noticed;
    for (const mutant& it : mutants) noticed.insert(it.noticed_by);
    for (const auto& it : testing::broker_cases()) {
        if (it.name == "a_wiped_broker_is_mended") continue;  // needs a broker that forgets
        BOOST_TEST(noticed.contains(it.name), it.name << " has no mutant");
        BOOST_TEST(!it.promise.empty());
        BOOST_TEST(!run(it.name, {}, std::chrono::minutes(1)).has_value(),
                   it.name << " fails without a mutant");
    }
}
