// Whose turn it is on a connection: its own thread's, or that of the thread that has its answer.

#include "http/connection.hpp"

namespace orderproc::server::http {

// Whoever has the answer may send it, unless the client has sent more already.
void connection::offer() {
    if (!answer_follows_ || in_begin_ != in_end_ || !client_->writes_beside_reads()) return;
    in_begin_ = in_end_ = 0;
    client_->read_some({in_.get(), in_capacity_}, *this);
    reading_ = true;
    turn_.store(turn::offered, std::memory_order_release);
}

// False: the answer is just being made elsewhere. Then resume() follows.
bool connection::take_back() noexcept {
    turn now = turn_.load(std::memory_order_acquire);
    while (true) {
        switch (now) {
            case turn::home:
                return true;
            case turn::offered:
                if (turn_.compare_exchange_weak(now, turn::home)) return true;
                break;
            case turn::elsewhere:
                if (turn_.compare_exchange_weak(now, turn::wanted)) return false;
                break;
            case turn::wanted:
                return false;
            case turn::answered:
                turn_.store(turn::home, std::memory_order_relaxed);
                waiting_ = false;
                set_phase(phase::idle);
                return true;
        }
    }
}

void connection::ready() noexcept {
    turn now = turn::offered;
    if (turn_.compare_exchange_strong(now, turn::elsewhere)) {
        answer_elsewhere();
    } else {
        home_.completed(*this);
    }
}

void connection::answer_elsewhere() noexcept {
    bool sent = false;
    try {
        session_->resume(parser_.value(), response_);
        append_answer();
        sent = !last_ && !send();
    } catch (...) {  // there is no memory
        broken_ = true;
    }
    // It may be gone as soon as it is answered. Where it is wanted, it stays so until resume():
    // else its own thread would take it back in between.
    turn now = turn::elsewhere;
    if (sent && turn_.compare_exchange_strong(now, turn::answered)) return;
    home_.completed(*this);
}

}  // namespace orderproc::server::http
