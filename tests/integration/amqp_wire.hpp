#ifndef ORDERPROC_TESTS_INTEGRATION_AMQP_WIRE_HPP
#define ORDERPROC_TESTS_INTEGRATION_AMQP_WIRE_HPP

// AMQP 0-9-1 as bytes, as far as a test's server needs it
// (rabbitmq.com/resources/specs/amqp0-9-1.pdf).

#include <cstdint>
#include <string>
#include <string_view>

namespace shop_test {

// Class and method of the specification as one number.
constexpr std::uint32_t amqp_method(std::uint16_t of, std::uint16_t number) {
    return std::uint32_t{of} << 16 | number;
}
inline constexpr std::uint32_t connection_start = amqp_method(10, 10);
inline constexpr std::uint32_t connection_start_ok = amqp_method(10, 11);
inline constexpr std::uint32_t connection_tune = amqp_method(10, 30);
inline constexpr std::uint32_t connection_tune_ok = amqp_method(10, 31);
inline constexpr std::uint32_t connection_open = amqp_method(10, 40);
inline constexpr std::uint32_t connection_open_ok = amqp_method(10, 41);
inline constexpr std::uint32_t connection_close = amqp_method(10, 50);
inline constexpr std::uint32_t connection_close_ok = amqp_method(10, 51);
inline constexpr std::uint32_t connection_blocked = amqp_method(10, 60);
inline constexpr std::uint32_t connection_unblocked = amqp_method(10, 61);
inline constexpr std::uint32_t channel_open = amqp_method(20, 10);
inline constexpr std::uint32_t channel_open_ok = amqp_method(20, 11);
inline constexpr std::uint32_t channel_close = amqp_method(20, 40);
inline constexpr std::uint32_t exchange_declare = amqp_method(40, 10);
inline constexpr std::uint32_t exchange_declare_ok = amqp_method(40, 11);
inline constexpr std::uint32_t queue_declare = amqp_method(50, 10);
inline constexpr std::uint32_t queue_declare_ok = amqp_method(50, 11);
inline constexpr std::uint32_t queue_bind = amqp_method(50, 20);
inline constexpr std::uint32_t queue_bind_ok = amqp_method(50, 21);
inline constexpr std::uint32_t confirm_select = amqp_method(85, 10);
inline constexpr std::uint32_t confirm_select_ok = amqp_method(85, 11);
inline constexpr std::uint32_t basic_qos = amqp_method(60, 10);
inline constexpr std::uint32_t basic_qos_ok = amqp_method(60, 11);
inline constexpr std::uint32_t basic_consume = amqp_method(60, 20);
inline constexpr std::uint32_t basic_consume_ok = amqp_method(60, 21);
inline constexpr std::uint32_t basic_deliver = amqp_method(60, 60);
inline constexpr std::uint32_t basic_publish = amqp_method(60, 40);
inline constexpr std::uint32_t basic_return = amqp_method(60, 50);
inline constexpr std::uint32_t basic_ack = amqp_method(60, 80);
inline constexpr std::uint32_t basic_nack = amqp_method(60, 120);

// Arguments of a method, in the order of the specification.
class amqp_bytes {
public:
    amqp_bytes& u8(std::uint8_t it) { return number(it, 1); }
    amqp_bytes& u16(std::uint16_t it) { return number(it, 2); }
    amqp_bytes& u32(std::uint32_t it) { return number(it, 4); }
    amqp_bytes& u64(std::uint64_t it) { return number(it, 8); }
    amqp_bytes& short_text(std::string_view it) {
        u8(static_cast<std::uint8_t>(it.size())).text_ += it;
        return *this;
    }
    amqp_bytes& long_text(std::string_view it) {
        u32(static_cast<std::uint32_t>(it.size())).text_ += it;
        return *this;
    }
    const std::string& text() const { return text_; }

private:
    amqp_bytes& number(std::uint64_t it, int size) {
        for (int i = size - 1; i >= 0; --i) text_ += static_cast<char>(it >> (8 * i) & 0xff);
        return *this;
    }
    std::string text_;
};

inline constexpr std::uint8_t method_frame = 1;
inline constexpr std::uint8_t header_frame = 2;
inline constexpr std::uint8_t body_frame = 3;

inline std::string amqp_frame(std::uint8_t type, std::uint16_t channel, std::string_view payload) {
    return amqp_bytes().u8(type).u16(channel).long_text(payload).text() + '\xce';
}

}  // namespace shop_test

#endif
