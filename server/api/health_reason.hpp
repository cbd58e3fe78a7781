#ifndef ORDERPROC_SERVER_API_HEALTH_REASON_HPP
#define ORDERPROC_SERVER_API_HEALTH_REASON_HPP

#include <string>
#include <string_view>

namespace orderproc::server {

// Why a server is not as it should be.
struct health_reason {
    std::string_view code;  // of a closed table, for programs and for anybody
    std::string text;       // for people who may know
};

// The closed table.
namespace health_codes {
inline constexpr std::string_view storage_unreadable = "storage_unreadable";
inline constexpr std::string_view storage_hangs = "storage_hangs";
inline constexpr std::string_view storage_unwritable = "storage_unwritable";
inline constexpr std::string_view storage_write_hangs = "storage_write_hangs";
inline constexpr std::string_view stopping = "stopping";
inline constexpr std::string_view broker_away = "broker_away";
inline constexpr std::string_view feed_late = "feed_late";
inline constexpr std::string_view all[] = {
    storage_unreadable, storage_hangs, storage_unwritable, storage_write_hangs,
    stopping,           broker_away,   feed_late};
}  // namespace health_codes

}  // namespace orderproc::server

#endif
