#include <orderproc/error.hpp>

namespace orderproc {
inline namespace v1 {

namespace {

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "orderproc"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::invalid_argument:
                return "invalid argument";
            case errc::not_found:
                return "not found";
            case errc::already_exists:
                return "the order id is taken";
            case errc::idempotency_mismatch:
                return "the idempotency key was used with a different request";
            case errc::version_conflict:
                return "the order has another version";
            case errc::transition_rejected:
                return "the order's state does not allow it";
            case errc::lease_lost:
                return "the lease is lost";
            case errc::attribute_taken:
                return "another order has this value";
            case errc::overloaded:
                return "overloaded";
            case errc::unavailable:
                return "not available at present";
            case errc::stopped:
                return "stopped";
            case errc::model_changed:
                return "the order model has changed";
            case errc::outcome_unknown:
                return "the outcome of the write is unknown";
            case errc::not_supported:
                return "not supported";
            case errc::schema_mismatch:
                return "it is there in another form";
            case errc::corrupt:
                return "the stored data is corrupt";
        }
        return "unknown error";
    }
};

}  // namespace

const boost::system::error_category& orderproc_category() noexcept {
    static const category instance;
    return instance;
}

std::string failure::message() const {
    if (detail.empty()) return code.message();
    return code ? detail + ": " + code.message() : detail;
}

}  // namespace v1
}  // namespace orderproc
