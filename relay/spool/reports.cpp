#include "relay/spool/reports.hpp"

#include <algorithm>

namespace relay::spool {

using ports::SpoolError;

std::expected<ports::Notices, SpoolError> Reports::owed(const mail::MessageId& id) {
  const auto owed = notices_.of(id);
  if (owed.empty()) return std::unexpected(SpoolError::NotFound);
  auto queued = reader_.load_whole(id);
  if (!queued) return std::unexpected(SpoolError::NotFound);
  ports::Notices made{.queued = std::move(*queued), .notices = {}};
  for (const auto& [index, kind] : owed) {
    const auto copy = std::ranges::find(
        made.queued.recipients, index,
        [](const mail::QueuedRecipient& recipient) { return recipient.route.index; });
    if (copy == made.queued.recipients.end()) {
      throw DamagedValue("a copy that somebody is to hear of is damaged");
    }
    const bool was_held = copy->released_at != base::WallTime{};
    made.notices.push_back(
        {.index = index,
         .kind = kind,
         .route = copy->route,
         .attempt = copy->last,
         .end = copy->end,
         .waiting_since = was_held ? copy->released_at : made.queued.received_at});
  }
  return made;
}

std::expected<void, SpoolError> Reports::pay(const ports::Report& report,
                                             const std::vector<ContentCut>& cuts,
                                             base::WallTime now) {
  const bool ended = !messages_.has_open(report.id);
  const base::WallTime next = ended ? now : now + ports::DeliveryQueue::kGather;
  if (!notices_.pay(report, next)) return std::unexpected(SpoolError::NotFound);
  for (std::size_t i = 0; i < report.dsns.size(); ++i) {
    messages_.insert(report.dsns[i], cuts[i], now);
  }
  if (ended && !notices_.are_owed(report.id)) messages_.remove(report.id);
  return {};
}

}  // namespace relay::spool
