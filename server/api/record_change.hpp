#ifndef ORDERPROC_SERVER_API_RECORD_CHANGE_HPP
#define ORDERPROC_SERVER_API_RECORD_CHANGE_HPP

// A request that changes records: it looks at what there is, writes what follows from that and then
// an audit record, and answers. A change that is refused leaves no audit record. If the change is
// made and its audit record cannot be written, the observer is told, and the answer is the same.

#include "api/pending_read.hpp"
#include "http/message.hpp"

#include <orderproc/engine.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::server {

struct record_plan {
    std::string actor, action, about;  // of the audit record
    // Empty: nothing has to change, and nothing is audited.
    std::function<result<std::vector<change_record>>(repository_reader&)> changes;
    // refused: what changes() said, if that was errc::transition_rejected; else no code.
    std::function<void(const failure& refused, const http::request&, http::response&)> answer;
};

// 409 version_conflict if somebody else changes the records at the same time. The engine outlives
// it.
std::unique_ptr<pending_read> change_records(engine& to, record_plan plan);

}  // namespace orderproc::server

#endif
