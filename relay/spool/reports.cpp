#include "relay/spool/reports.hpp"

#include <algorithm>

#include "relay/ports/delivery_queue.hpp"
#include "relay/spool/rows.hpp"

namespace relay::spool {

using ports::SpoolError;

Reports::Reports(Connection& connection, MessageReader& reader, Messages& messages,
                 Notices& notices, Tally& tally)
    : connection_(connection),
      reader_(reader),
      messages_(messages),
      notices_(notices),
      tally_(tally),
      hold_failed_(
          connection.raw(),
          "UPDATE recipient SET state = 1, ended = 0 WHERE id = ?1 AND idx = ?2 AND state = 3") {}

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

void Reports::hold_unreadable(const mail::MessageId& id) {
  for (const auto& [index, kind] : notices_.of(id)) {
    if (is_readable({id, index})) continue;
    notices_.cancel(id, index);
    hold_failed_.bind_blob(1, blob_of(id)).bind(2, std::int64_t{index});
    hold_failed_.run();
    if (connection_.changes() == 0) continue;  // it waits, or its state is what was damaged
    tally_.copies_in(mail::RecipientState::Held);
    messages_.opened_again(id);
  }
}

bool Reports::is_readable(const mail::CopyId& copy) {
  try {
    return reader_.load(copy.message, {copy.index}).has_value();
  } catch (const DamagedValue&) {
    return false;
  }
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
