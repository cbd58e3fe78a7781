#include <orderproc/log.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;

namespace {

// Records as "level event name=value …".
struct notebook {
    log_sink sink() {
        return [this](const log_record& it) {
            std::string line(name_of(it.level));
            line.append(1, ' ').append(it.event);
            for (const log_field& field : it.fields) {
                line.append(1, ' ').append(field.name).append(1, '=');
                if (const auto* text = std::get_if<std::string_view>(&field.value)) line += *text;
                if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
                    line += std::to_string(*number);
                }
                if (const auto* flag = std::get_if<bool>(&field.value))
                    line += *flag ? "yes" : "no";
            }
            lines.push_back(std::move(line));
        };
    }
    std::vector<std::string> lines;
};

attempt_report attempt(attempt_outcome outcome, bool failed = false) {
    attempt_report out;
    out.order = "A-1";
    out.stage = "PROCESSING";
    out.attempt = 2;
    out.outcome = outcome;
    out.reason = "no stock";
    out.duration = std::chrono::milliseconds(7);
    out.traceparent = "00-t";
    out.failed = failed;
    return out;
}

const work_stage& stage() {
    return status_machine::standard().stages()[0];
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_goes_wrong_is_told_at_info_and_above) {
    notebook kept;
    log_observer log(kept.sink());
    order after;
    log.batch_written({});
    log.transition_committed({after, "create", "me"});
    log.orders_claimed({stage(), 3, 0, 0, {}});
    log.attempt_finished(attempt(attempt_outcome::advanced));
    log.attempt_finished(attempt(attempt_outcome::released));
    BOOST_TEST(kept.lines.empty());

    log.attempt_finished(attempt(attempt_outcome::retried));
    log.attempt_finished(attempt(attempt_outcome::gave_up, true));
    const reclaimed_order back[] = {{"A-3", "lease expired"}, {"A-4", "no attempt left", true}};
    log.orders_claimed({stage(), 1, 1, 1, back});
    log.lease_lost("A-2");
    log.error("engine.write", {errc::unavailable, "disk full"});
    const std::vector<std::string> expected{
        "info attempt_finished order_id=A-1 stage=PROCESSING attempt=2 outcome=retried failed=no "
        "reason=no stock duration_ms=7 traceparent=00-t",
        "info order_failed order_id=A-1 stage=PROCESSING attempt=2 outcome=gave_up failed=yes "
        "reason=no stock duration_ms=7 traceparent=00-t",
        "warning order_reclaimed order_id=A-3 stage=PROCESSING failed=no reason=lease expired",
        "info order_failed order_id=A-4 stage=PROCESSING failed=yes reason=no attempt left",
        "warning lease_lost order_id=A-2",
        std::string("error error where=engine.write what=disk full: ") +
            make_error_code(errc::unavailable).message()};
    BOOST_TEST(kept.lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(brokers_that_come_and_go_are_told_with_the_reason) {
    notebook kept;
    log_observer log(kept.sink());
    const failure why{errc::unavailable, "b:5672: no login"};
    log.broker_changed({"amqp://b:5672", "relay", false, why});
    log.broker_changed({"amqp://b:5672", "relay", true, {}});
    log.broker_changed({"amqp://b:5672", "wake_ups", true, why});  // no reason to give
    log.message_refused("m-1", "its key is no order id");
    log.message_refused("", "");
    const std::vector<std::string> expected{
        "warning broker_disconnected broker=amqp://b:5672 connection=relay what=" + why.message(),
        "info broker_connected broker=amqp://b:5672 connection=relay",
        "info broker_connected broker=amqp://b:5672 connection=wake_ups",
        "warning message_refused message_id=m-1 reason=its key is no order id",
        "warning message_refused message_id= reason="};
    BOOST_TEST(kept.lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_entry_that_is_given_up_is_an_error) {
    notebook kept;
    log_observer log(kept.sink(), log_level::error);
    const failure why{errc::invalid_argument, "it cannot be formatted: no such field"};
    log.entry_given_up({"relay", 7, 42, "A-1", "create", unpublishable::park, why});
    const std::vector<std::string> expected{
        "error entry_given_up cursor=relay position=7-42 order_id=A-1 event=create action=park "
        "what=" +
        why.message()};
    BOOST_TEST(kept.lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_measured_of_feeds_and_messages_is_no_news) {
    notebook kept;
    log_observer log(kept.sink(), log_level::debug);
    log.feed_measured({"relay", true, 1000, std::chrono::minutes(5)});
    log.orders_hinted({stage(), 10, 3});
    BOOST_TEST(kept.lines.empty());
}

BOOST_AUTO_TEST_CASE(reports_of_brokers_have_levels) {
    notebook kept;
    log_observer warnings(kept.sink(), log_level::warning);
    warnings.broker_changed({"b", "relay", true, {}});
    BOOST_TEST(kept.lines.empty());
    warnings.broker_changed({"b", "relay", false, {}});
    warnings.message_refused("m-1", "no order");
    BOOST_TEST(kept.lines.size() == 2U);
    kept.lines.clear();
    log_observer errors(kept.sink(), log_level::error);
    errors.broker_changed({"b", "relay", false, {}});
    errors.message_refused("m-1", "no order");
    BOOST_TEST(kept.lines.empty());
}

BOOST_AUTO_TEST_CASE(the_least_level_is_kept) {
    notebook kept;
    log_observer all(kept.sink(), log_level::debug);
    order after;
    after.status = "PENDING";
    all.batch_written({2, 1, std::chrono::microseconds(9), {}});
    all.transition_committed({after, "create", "me"});
    all.orders_claimed({stage(), 3, 0, 0, {}});
    all.attempt_finished(attempt(attempt_outcome::advanced));
    BOOST_TEST(kept.lines.size() == 4U);
    BOOST_TEST(kept.lines[0] == "debug batch_written changes=2 claims=1 write_us=9 ok=yes");
    BOOST_TEST(kept.lines[1] ==
               "debug transition order_id= event=create to=PENDING version=1 actor=me");
    kept.lines.clear();
    log_observer errors(kept.sink(), log_level::error);
    errors.lease_lost("A");
    errors.attempt_finished(attempt(attempt_outcome::gave_up, true));
    BOOST_TEST(kept.lines.empty());
}

BOOST_AUTO_TEST_CASE(a_sink_that_throws_harms_nobody) {
    log_observer log([](const log_record&) { throw std::runtime_error("full"); });
    log.lease_lost("A");
    log.broker_changed({"b", "relay", false, {}});
    log.message_refused("m-1", "no order");
}

BOOST_AUTO_TEST_CASE(observers_are_all_told) {
    struct counter final : observer {
        void batch_written(const batch_report&) noexcept override { ++calls; }
        void transition_committed(const transition_report&) noexcept override { ++calls; }
        void orders_claimed(const claim_report&) noexcept override { ++calls; }
        void key_used(key_use) noexcept override { ++calls; }
        void attempt_finished(const attempt_report&) noexcept override { ++calls; }
        void lease_lost(std::string_view) noexcept override { ++calls; }
        void broker_changed(const broker_report&) noexcept override { ++calls; }
        void feed_measured(const feed_report&) noexcept override { ++calls; }
        void entry_given_up(const given_up_report&) noexcept override { ++calls; }
        void orders_hinted(const hint_report&) noexcept override { ++calls; }
        void message_refused(std::string_view, std::string_view) noexcept override { ++calls; }
        void error(std::string_view, const failure&) noexcept override { ++calls; }
        int calls = 0;
    } one, two;
    observers both({&one, &two});
    order after;
    both.batch_written({});
    both.transition_committed({after, "create", ""});
    both.orders_claimed({stage(), 0, 0, 0, {}});
    both.key_used(key_use::fresh);
    both.attempt_finished({});
    both.lease_lost("A");
    both.broker_changed({"b", "relay", true, {}});
    both.feed_measured({});
    both.entry_given_up({"relay", 1, 2, "A", "create", unpublishable::skip, errc::corrupt});
    both.orders_hinted({stage(), 1, 1});
    both.message_refused("m-1", "no order");
    both.error("x", errc::corrupt);
    BOOST_TEST(one.calls == 12);
    BOOST_TEST(two.calls == 12);
}
