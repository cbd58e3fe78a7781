#ifndef ORDERPROC_STAGES_BROKER_RECONNECTION_HPP
#define ORDERPROC_STAGES_BROKER_RECONNECTION_HPP

// When to connect to a broker, and whom to tell of it.

#include <orderproc/queue.hpp>
#include <orderproc/runtime.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Of one connection; used by one thread at a time. After a failure the next try waits, longer each
// time and by chance, so that those who lost a broker together do not come back together.
class reconnection {
public:
    reconnection(const broker& to, std::string_view user, runtime with);

    clock::instant due() const noexcept { return due_; }
    void made();    // connected
    void of_use();  // it did what it is for: the next failure is a first one again
    void failed(const failure& why) noexcept;  // there is none, or it was lost

private:
    void tell(bool connected, const failure& why) noexcept;

    const std::string broker_;
    const std::string_view user_;
    runtime with_;
    clock::instant due_;
    std::uint32_t failures_ = 0;  // in a row
    bool told_ = false;
    bool told_connected_ = false;
    failure told_why_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
