#include "relay/spool/intake_requests.hpp"

#include <new>

namespace relay::spool {

using ports::SpoolError;

base::Task<std::expected<void, SpoolError>> IntakeRequests::append(mail::MessageId draft,
                                                                   std::uint32_t sequence,
                                                                   std::string chunk) {
  if (chunk.size() != ports::kChunkOctets) co_return std::unexpected(SpoolError::Corrupt);
  std::string digest = chunk_digest(draft, sequence, chunk);
  // Nothing is promised yet: the commit of the message syncs its chunks, too.
  co_return co_await writer_.ask<void>(
      Kind::Note, [this, draft, sequence, chunk = std::move(chunk), digest = std::move(digest)] {
        tables_.contents.append(draft, sequence, {.octets = chunk, .digest = digest});
        return std::expected<void, SpoolError>();
      });
}

void IntakeRequests::discard(mail::MessageId draft) noexcept try {
  writer_.tell(Kind::Record, [this, draft] { tables_.contents.discard(draft); });
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the next start removes it
}

base::Task<std::expected<ports::CommitProof, SpoolError>> IntakeRequests::commit(
    ports::NewMessage message) {
  const mail::MessageId id = message.message.id;
  auto cut = ContentCut::of(message);
  if (!cut) co_return std::unexpected(cut.error());
  const auto stored = co_await writer_.ask<void>(
      Kind::Write, [this, message = std::move(message), cut = std::move(*cut)] {
        return tables_.acceptance.accept(message, cut, writer_.now());
      });
  if (!stored) co_return std::unexpected(stored.error());
  co_return proof_of(id);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>>
IntakeRequests::accepted_within(std::chrono::milliseconds span, std::size_t limit) {
  using Rows = std::vector<Resends::Kept>;
  auto rows = co_await writer_.ask<Rows>(
      Kind::Read, [this, span, limit]() -> std::expected<Rows, SpoolError> {
        return tables_.resends.since(writer_.now() - span, limit);
      });
  if (!rows) co_return std::unexpected(rows.error());
  std::vector<ports::RememberedMessage> remembered;
  remembered.reserve(rows->size());
  for (auto& row : *rows) {
    remembered.push_back({.proof = proof_of(row.id), .resend_key = std::move(row.key)});
  }
  co_return remembered;
}

}  // namespace relay::spool
