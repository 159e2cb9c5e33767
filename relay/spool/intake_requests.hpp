// The queue as the inbound side sees it; each call is a request to the writer.
#pragma once

#include "relay/ports/intake_queue.hpp"
#include "relay/spool/tables.hpp"
#include "relay/spool/writer.hpp"

namespace relay::spool {

class IntakeRequests final : public ports::IntakeQueue {
 public:
  IntakeRequests(Writer& writer, Tables& tables) : writer_(writer), tables_(tables) {}

  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                            std::uint32_t sequence,
                                                            std::string chunk) override;
  void discard(mail::MessageId draft) noexcept override;
  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override;
  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_within(std::chrono::milliseconds span, std::size_t limit) override;

  base::WallTime now() const noexcept override { return writer_.now(); }

  bool poisoned() const noexcept override { return writer_.poisoned(); }

 private:
  Writer& writer_;
  Tables& tables_;
};

}  // namespace relay::spool
