#include <orderproc/redact.hpp>

#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t history_page_size = 100;

class redaction {
public:
    redaction(repository_reader& from, const order_model& model, const order_scope& whose,
              const redact_function& redact,
              const std::function<void(const redact_report&)>& progress,
              const unchanged_function& unchanged)
        : from_(from),
          model_(model),
          whose_(whose),
          redact_(redact),
          progress_(progress),
          unchanged_(unchanged) {}

    result<redact_report> run() {
        if (!whose_.user) {
            return failure{errc::invalid_argument, "redact_orders(): the scope has no user"};
        }
        if (auto ok = orders(); !ok) return std::move(ok).error();
        if (auto ok = deleted(); !ok) return std::move(ok).error();
        return report_;
    }

private:
    static constexpr std::size_t page_size = 100;

    result<void> orders() {
        list_params params;
        params.scope = whose_;
        params.descending = false;  // what is created meanwhile is found as well
        params.limit = page_size;
        do {
            auto page = from_.list(params);
            if (!page) return std::move(page).error();
            for (const order& it : page->orders) {
                if (!it.settled_at) {
                    ++report_.open;
                } else if (auto ok = take(it); !ok) {
                    return ok;
                }
            }
            if (progress_) progress_(report_);
            params.after = std::move(page->next);
        } while (params.after);
        return {};
    }

    // What a purge takes away meanwhile needs no redaction.
    result<void> deleted() {
        feed_params params{{}, page_size};
        while (true) {
            auto page = from_.read_feed(params);
            if (!page) return std::move(page).error();
            if (page->reset) {
                params.after = page->oldest;
                continue;
            }
            if (page->entries.empty()) return {};
            for (const journal_entry& it : page->entries) {
                if (it.event != "delete" || !whose_.admits(it.after)) continue;
                if (auto ok = take(it.after); !ok) return ok;
            }
            params.after = page->entries.back().position;
            if (progress_) progress_(report_);
        }
    }

    result<void> take(const order& it) {
        const std::string id(it.id.view());
        const auto needed = needs_redaction(from_, model_, id);
        if (!needed && needed.error().code == errc::not_found) return {};
        if (!needed) return needed.error();
        if (!*needed) {
            ++report_.before;
            return unchanged_ ? unchanged_(id) : result<void>();
        }
        command what;
        what.what = redact_personal{id};
        what.scope = whose_;
        auto out = redact_(std::move(what));
        if (!out) return std::move(out).error();
        if (!out->ec) {
            ++report_.redacted;
        } else if (out->ec == errc::transition_rejected) {
            ++report_.open;  // it was retried meanwhile
        } else if (out->ec != errc::not_found) {
            return failure{out->ec, "order " + id};
        }
        return {};
    }

    repository_reader& from_;
    const order_model& model_;
    const order_scope& whose_;
    const redact_function& redact_;
    const std::function<void(const redact_report&)>& progress_;
    const unchanged_function& unchanged_;
    redact_report report_;
};

bool has_personal(const order_content& it, const order_model& model) {
    order_content rest = it;
    model.redact(rest);
    return rest != it;
}

}  // namespace

result<bool> needs_redaction(repository_reader& from, const order_model& model,
                             std::string_view order) {
    bool found = false, needed = true;
    history_params params{order, order_version{0}, history_page_size, {}};
    while (true) {
        auto entries = from.history(params);
        if (!entries) return std::move(entries).error();
        if (entries->empty()) break;
        for (const journal_entry& it : *entries) {
            needed = it.event != "redact" && (needed || has_personal(it.after, model));
        }
        found = true;
        params.after = entries->back().version;
    }
    if (!found) return errc::not_found;
    return needed;
}

result<redact_report> redact_orders(repository_reader& from, const order_model& model,
                                    const order_scope& whose, const redact_function& redact,
                                    const std::function<void(const redact_report&)>& progress,
                                    const unchanged_function& unchanged) {
    return redaction(from, model, whose, redact, progress, unchanged).run();
}

}  // namespace v1
}  // namespace orderproc
