#include "tests/fakes/memory_intake.hpp"

#include <algorithm>
#include <ranges>

namespace relay::fakes {

using ports::SpoolError;

base::Task<std::expected<void, SpoolError>> MemoryIntake::append(mail::MessageId draft,
                                                                 std::uint32_t sequence,
                                                                 std::string chunk) {
  return core_.write(
      [this, draft, sequence, chunk = std::move(chunk)]() -> std::expected<void, SpoolError> {
        if (chunk.size() != ports::kChunkOctets) return std::unexpected(SpoolError::Corrupt);
        if (core_.messages.find(draft) == nullptr) core_.drafts[draft][sequence] = chunk;
        return {};
      });
}

void MemoryIntake::discard(mail::MessageId draft) noexcept {
  const std::lock_guard lock(core_.mutex);
  core_.drafts.erase(draft);
}

base::Task<std::expected<ports::CommitProof, SpoolError>> MemoryIntake::commit(
    ports::NewMessage message) {
  return core_.write(
      [this, message = std::move(message)]() -> std::expected<ports::CommitProof, SpoolError> {
        const auto accepted = accept(message);
        if (!accepted) return std::unexpected(accepted.error());
        return proof_of(message.message.id);
      });
}

std::expected<void, SpoolError> MemoryIntake::accept(const ports::NewMessage& message) {
  auto rest = MemoryMessages::cut(message);
  if (!rest) return std::unexpected(SpoolError::Corrupt);
  const mail::MessageId& id = message.message.id;
  if (core_.messages.find(id) != nullptr) return {};
  for (const mail::Route& route : message.routes) {
    const bool awaits = !route.awaits.empty();
    if (awaits && core_.messages.awaiting(route.awaits) >= message.max_awaiting) {
      return std::unexpected(SpoolError::Unconfirmed);
    }
  }
  std::vector<std::string> chunks;
  const std::size_t appended =
      (message.message.size - message.content.size()) / ports::kChunkOctets;
  if (appended > 0) {
    const auto draft = core_.drafts.find(id);
    if (draft == core_.drafts.end() || draft->second.size() != appended) {
      return std::unexpected(SpoolError::NotFound);
    }
    for (const auto& [sequence, chunk] : draft->second) chunks.push_back(chunk);
  }
  core_.drafts.erase(id);
  std::ranges::move(*rest, std::back_inserter(chunks));
  core_.messages.insert(message, std::move(chunks), core_.now());
  if (!message.resend_key.empty()) core_.resends.push_back({id, message.resend_key, core_.now()});
  for (const mail::SenderToken& token : message.tokens) keep(token);
  return {};
}

void MemoryIntake::keep(const mail::SenderToken& token) {
  const base::WallTime expires_at = core_.now() + token.lives_for;
  const auto [at, is_new] =
      core_.tokens.try_emplace(token.token, KeptSender{token.reverse_path, expires_at});
  if (is_new) ++core_.tokens_under[token.counted_under];
  if (is_new && !token.counted_wider.empty()) ++core_.tokens_under[token.counted_wider];
  at->second.expires_at = std::max(at->second.expires_at, expires_at);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>>
MemoryIntake::accepted_within(std::chrono::milliseconds span, std::size_t limit) {
  using Result = std::expected<std::vector<ports::RememberedMessage>, SpoolError>;
  return core_.read([this, span, limit]() -> Result {
    std::vector<ports::RememberedMessage> found;
    const base::WallTime since = core_.now() - span;
    for (const KeptResend& kept : std::views::reverse(core_.resends) |
                                      std::views::take(static_cast<std::ptrdiff_t>(limit))) {
      if (kept.at < since) continue;
      found.push_back({.proof = proof_of(kept.id), .resend_key = kept.key});
    }
    return found;
  });
}

base::Task<std::expected<mail::ReversePath, SpoolError>> MemoryTokens::find(std::string token) {
  using Result = std::expected<mail::ReversePath, SpoolError>;
  return core_.read([this, token = std::move(token)]() -> Result {
    const auto found = core_.tokens.find(token);
    if (found == core_.tokens.end() || found->second.expires_at < core_.now()) {
      return std::unexpected(SpoolError::NotFound);
    }
    return found->second.reverse_path;
  });
}

base::Task<std::expected<bool, SpoolError>> MemoryTokens::has_room(mail::SenderToken token) {
  using Result = std::expected<bool, SpoolError>;
  return core_.read([this, token = std::move(token)]() -> Result {
    const auto count_of = [this](const std::string& counted_under) -> std::int64_t {
      const auto found = core_.tokens_under.find(counted_under);
      return found == core_.tokens_under.end() ? 0 : found->second;
    };
    const bool room =
        count_of(token.counted_under) < token.most &&
        (token.counted_wider.empty() || count_of(token.counted_wider) < 2 * token.most);
    return core_.tokens.contains(token.token) || room;
  });
}

}  // namespace relay::fakes
