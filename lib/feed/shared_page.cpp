#include "feed/shared_page.hpp"

#include <string_view>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::size_t text_size_hint = 768;

}  // namespace

std::size_t size_of(const journal_entry& it) noexcept {
    const order& after = it.after;
    std::size_t size = sizeof it + it.event.size() + it.actor.size() + it.reason.size() +
                       it.traceparent.size() + after.id.view().size() + after.user.size() +
                       after.item_ids.size() * sizeof(std::int64_t) + after.metadata.size() +
                       after.tenant.size() + after.annotations.size() + after.last_error.size();
    for (const order_line& line : after.lines) {
        size += sizeof line + line.sku.size() + line.name.size();
    }
    for (const order_attribute& attribute : after.attributes) {
        size += sizeof attribute + attribute.name.size();
        if (const auto* text = std::get_if<std::string>(&attribute.value)) size += text->size();
    }
    return size;
}

shared_page::shared_page(std::vector<journal_entry> entries, const entry_encoder& encode)
    : entries_(std::make_shared<const std::vector<journal_entry>>(std::move(entries))),
      encode_(encode) {}

feed_part shared_page::from(std::size_t first) {
    if (begins_.empty()) {
        std::string text;
        std::vector<std::size_t> begins;
        begins.reserve(entries_->size() + 1);
        begins.push_back(0);
        if (encode_) text.reserve(entries_->size() * text_size_hint);
        for (const journal_entry& it : *entries_) {
            if (encode_) encode_(it, text);
            begins.push_back(encode_ ? text.size() : begins.back() + size_of(it));
        }
        if (encode_) text_ = std::make_shared<const std::string>(std::move(text));
        begins_ = std::move(begins);
        made_ += begins_.size() * sizeof(std::size_t) + (encode_ ? text_->size() : 0);
    }
    feed_part out;
    out.position = entries_->back().position;
    out.size = begins_.back() - begins_.at(first);
    if (encode_) {
        out.text = std::string_view(*text_).substr(begins_[first]);
        out.owner = text_;
    } else {
        out.entries = entries().subspan(first);
        out.owner = entries_;
    }
    return out;
}

feed_part shared_page::one(std::size_t which) {
    ones_.resize(entries_->size());
    feed_part& found = ones_.at(which);
    if (found.owner) return found;
    const journal_entry& entry = (*entries_)[which];
    if (encode_) {
        std::string made;
        made.reserve(text_size_hint);
        encode_(entry, made);
        const auto text = std::make_shared<const std::string>(std::move(made));
        found.text = *text;
        found.size = text->size();
        found.owner = text;
    } else {
        const auto copy = std::make_shared<const journal_entry>(entry);
        found.entries = {copy.get(), 1};
        found.size = size_of(entry);
        found.owner = copy;
    }
    found.position = entry.position;
    made_ += sizeof found + found.size;
    return found;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
