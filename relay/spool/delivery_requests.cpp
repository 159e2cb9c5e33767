#include "relay/spool/delivery_requests.hpp"

namespace relay::spool {

using ports::SpoolError;

namespace {

using Span = std::optional<std::chrono::milliseconds>;

Span until(std::optional<base::WallTime> at, base::WallTime now) {
  return at ? Span(*at - now) : std::nullopt;
}

}  // namespace

base::Task<std::expected<std::string, SpoolError>> read_content(Writer& writer, Tables& tables,
                                                                mail::MessageId id,
                                                                std::uint32_t sequence) {
  auto chunk = co_await writer.ask<StoredChunk>(
      Kind::Read, [&tables, id, sequence] { return tables.contents.read(id, sequence); });
  if (!chunk) co_return std::unexpected(chunk.error());
  if (!is_sound(id, sequence, *chunk)) co_return std::unexpected(SpoolError::Corrupt);
  co_return std::move(chunk->octets);
}

base::Task<std::expected<mail::QueuedMessage, SpoolError>> DeliveryRequests::load(
    mail::MessageId id, std::vector<std::uint16_t> indices) {
  using Result = std::expected<mail::QueuedMessage, SpoolError>;
  return writer_.ask<mail::QueuedMessage>(Kind::Read,
                                          [this, id, indices = std::move(indices)]() -> Result {
                                            auto queued = tables_.reader.load(id, indices);
                                            if (!queued)
                                              return std::unexpected(SpoolError::NotFound);
                                            return std::move(*queued);
                                          });
}

base::Task<std::expected<std::string, SpoolError>> DeliveryRequests::read(mail::MessageId id,
                                                                          std::uint32_t sequence) {
  return read_content(writer_, tables_, id, sequence);
}

base::Task<std::expected<ports::RecordAnswer, SpoolError>> DeliveryRequests::record(
    ports::Update update) {
  return writer_.ask<ports::RecordAnswer>(Kind::Record, [this, update = std::move(update)] {
    return tables_.outcomes.record(update, now());
  });
}

base::Task<std::expected<void, SpoolError>> DeliveryRequests::hold_damaged(mail::MessageId id) {
  return writer_.ask<void>(Kind::Record, [this, id] {
    tables_.reports.hold_unreadable(id);
    tables_.outcomes.hold_damaged(id, now());
    return std::expected<void, SpoolError>();
  });
}

base::Task<std::expected<ports::DuePage, SpoolError>> DeliveryRequests::due(
    std::optional<ports::DueCursor> after, std::size_t limit) {
  return writer_.ask<ports::DuePage>(
      Kind::Read, [this, after, limit]() -> std::expected<ports::DuePage, SpoolError> {
        return without_held(tables_.due.due(after, limit, now()));
      });
}

base::Task<std::expected<ports::DuePage, SpoolError>> DeliveryRequests::due_in_lane(
    ports::LaneKey lane, std::optional<ports::DueCursor> after, std::size_t limit) {
  return writer_.ask<ports::DuePage>(
      Kind::Read,
      [this, lane = std::move(lane), after, limit]() -> std::expected<ports::DuePage, SpoolError> {
        return without_held(tables_.due.due_in_lane(lane, after, limit, now()));
      });
}

/// Copies held in place that the listing met are moved out of its index, so they are met only once.
ports::DuePage DeliveryRequests::without_held(DueCopies::Listed listed) {
  if (!listed.held.empty()) {
    writer_.tell(Kind::Note,
                 [this, held = std::move(listed.held)] { tables_.due.take_away(held); });
  }
  return std::move(listed.page);
}

base::Task<std::expected<std::vector<ports::WaitingLane>, SpoolError>>
DeliveryRequests::waiting_lanes(std::optional<ports::LaneKey> after, std::size_t limit) {
  using Result = std::expected<std::vector<ports::WaitingLane>, SpoolError>;
  return writer_.ask<std::vector<ports::WaitingLane>>(
      Kind::Read, [this, after = std::move(after), limit]() -> Result {
        return tables_.due.waiting_lanes(after, limit, now());
      });
}

base::Task<std::expected<Span, SpoolError>> DeliveryRequests::next_due_in() {
  return writer_.ask<Span>(Kind::Read, [this]() -> std::expected<Span, SpoolError> {
    const base::WallTime at = now();
    return until(tables_.due.next_due(at), at);
  });
}

base::Task<std::expected<std::size_t, SpoolError>> DeliveryRequests::undo_far_due_times(
    std::chrono::milliseconds longest, std::size_t limit) {
  using Result = std::expected<std::size_t, SpoolError>;
  return writer_.ask<std::size_t>(Kind::Record, [this, longest, limit]() -> Result {
    const base::WallTime at = now();
    return tables_.due.hasten(at + longest, at, limit);
  });
}

base::Task<std::expected<std::vector<mail::MessageId>, SpoolError>> DeliveryRequests::reports_due(
    std::size_t limit) {
  using Result = std::expected<std::vector<mail::MessageId>, SpoolError>;
  return writer_.ask<std::vector<mail::MessageId>>(
      Kind::Read, [this, limit]() -> Result { return tables_.notices.due(now(), limit); });
}

base::Task<std::expected<Span, SpoolError>> DeliveryRequests::next_report_in() {
  return writer_.ask<Span>(Kind::Read, [this]() -> std::expected<Span, SpoolError> {
    const base::WallTime at = now();
    return until(tables_.notices.next_due(at), at);
  });
}

base::Task<std::expected<ports::Notices, SpoolError>> DeliveryRequests::notices(
    mail::MessageId id) {
  return writer_.ask<ports::Notices>(Kind::Read, [this, id] { return tables_.reports.owed(id); });
}

base::Task<std::expected<void, SpoolError>> DeliveryRequests::report(ports::Report report) {
  std::vector<ContentCut> cuts;
  for (const ports::NewMessage& dsn : report.dsns) {
    auto cut = ContentCut::of(dsn);
    if (!cut) co_return std::unexpected(cut.error());
    cuts.push_back(std::move(*cut));
  }
  co_return co_await writer_.ask<void>(Kind::Record,
                                       [this, report = std::move(report), cuts = std::move(cuts)] {
                                         return tables_.reports.pay(report, cuts, now());
                                       });
}

}  // namespace relay::spool
