// MemorySpool for those who put messages in, and for those who ask about stored senders.
#pragma once

#include "relay/ports/intake_queue.hpp"
#include "relay/ports/token_store.hpp"
#include "tests/fakes/memory_core.hpp"

namespace relay::fakes {

class MemoryIntake final : public ports::IntakeQueue {
 public:
  explicit MemoryIntake(MemoryCore& core) : core_(core) {}

  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                            std::uint32_t sequence,
                                                            std::string chunk) override;
  void discard(mail::MessageId draft) noexcept override;
  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override;
  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_within(std::chrono::milliseconds span, std::size_t limit) override;

  base::WallTime now() const noexcept override { return core_.now(); }

  bool poisoned() const noexcept override { return core_.poisoned; }

 private:
  std::expected<void, ports::SpoolError> accept(const ports::NewMessage& message);
  void keep(const mail::SenderToken& token);

  MemoryCore& core_;
};

class MemoryTokens final : public ports::TokenStore {
 public:
  explicit MemoryTokens(MemoryCore& core) : core_(core) {}

  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find(std::string token) override;
  base::Task<std::expected<bool, ports::SpoolError>> has_room(mail::SenderToken token) override;

 private:
  MemoryCore& core_;
};

}  // namespace relay::fakes
