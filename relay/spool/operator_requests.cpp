#include "relay/spool/operator_requests.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "relay/spool/delivery_requests.hpp"

namespace relay::spool {

using ports::SpoolError;

base::Task<std::expected<ports::QueuePage, SpoolError>> OperatorRequests::list(
    ports::QueueFilter filter, std::optional<mail::CopyId> after, std::size_t limit) {
  using Result = std::expected<ports::QueuePage, SpoolError>;
  return writer_.ask<ports::QueuePage>(
      Kind::Read, [this, filter = std::move(filter), after, limit]() -> Result {
        return tables_.walk.list(filter, after, limit);
      });
}

base::Task<std::expected<std::vector<ports::QueueRow>, SpoolError>> OperatorRequests::copies(
    mail::MessageId id) {
  using Result = std::expected<std::vector<ports::QueueRow>, SpoolError>;
  return writer_.ask<std::vector<ports::QueueRow>>(Kind::Read, [this, id]() -> Result {
    auto rows = tables_.walk.copies(id);
    if (rows.empty()) return std::unexpected(SpoolError::NotFound);
    return rows;
  });
}

base::Task<std::expected<std::vector<ports::AttemptRow>, SpoolError>> OperatorRequests::attempts(
    mail::MessageId id) {
  using Result = std::expected<std::vector<ports::AttemptRow>, SpoolError>;
  return writer_.ask<std::vector<ports::AttemptRow>>(
      Kind::Read, [this, id]() -> Result { return tables_.walk.attempts(id); });
}

base::Task<std::expected<std::string, SpoolError>> OperatorRequests::read(mail::MessageId id,
                                                                          std::uint32_t sequence) {
  return read_content(writer_, tables_, id, sequence);
}

base::Task<std::expected<ports::ChangedSlice, SpoolError>> OperatorRequests::change(
    ports::QueueFilter filter, ports::QueueAction action, std::string reason,
    std::optional<mail::CopyId> after) {
  using Result = std::expected<ports::ChangedSlice, SpoolError>;
  return writer_.ask<ports::ChangedSlice>(
      Kind::Order,
      [this, filter = std::move(filter), action, reason = std::move(reason), after]() -> Result {
        return tables_.changes.change(filter, action, reason, after);
      });
}

base::Task<std::expected<ports::QueueTotals, SpoolError>> OperatorRequests::totals() {
  using Result = std::expected<ports::QueueTotals, SpoolError>;
  return writer_.ask<ports::QueueTotals>(Kind::Read, [this]() -> Result {
    // A damaged row can make a sum slightly negative.
    const auto sum = [](std::int64_t value) {
      return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    };
    const Tally::Sums& sums = tables_.tally.now();
    return ports::QueueTotals{.messages = sum(sums.messages),
                              .waiting = sum(sums.waiting),
                              .held = sum(sums.held),
                              .bytes = sum(sums.octets),
                              .owed_reports = sum(sums.reports)};
  });
}

base::Task<std::expected<ports::PauseRule, SpoolError>> OperatorRequests::pause(
    ports::PauseRule::Kind kind, std::string value, std::string reason,
    std::optional<std::chrono::milliseconds> span) {
  using Result = std::expected<ports::PauseRule, SpoolError>;
  return writer_.ask<ports::PauseRule>(
      Kind::Record,
      [this, kind, value = base::lower(value), reason = std::move(reason), span]() -> Result {
        ports::PauseRule rule{
            .kind = kind, .value = value, .reason = reason, .since = now(), .until = {}};
        if (span) rule.until = rule.since + *span;
        tables_.pauses.set(rule);
        return rule;
      });
}

base::Task<std::expected<bool, SpoolError>> OperatorRequests::resume(ports::PauseRule::Kind kind,
                                                                     std::string value) {
  return writer_.ask<bool>(
      Kind::Record, [this, kind, value = base::lower(value)]() -> std::expected<bool, SpoolError> {
        return tables_.pauses.remove(kind, value);
      });
}

base::Task<std::expected<std::vector<ports::PauseRule>, SpoolError>> OperatorRequests::pauses() {
  using Result = std::expected<std::vector<ports::PauseRule>, SpoolError>;
  return writer_.ask<std::vector<ports::PauseRule>>(
      Kind::Read, [this]() -> Result { return tables_.pauses.in_force(now()); });
}

}  // namespace relay::spool
