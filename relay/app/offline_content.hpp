// Content of a stored message, read as a session reads it: the same reader, limits and faults.
// Nothing is stored.
#pragma once

#include <optional>
#include <string_view>

#include "relay/app/wall_now.hpp"
#include "relay/app/wiring_offline.hpp"
#include "relay/auth/message_check.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/intake.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/ports/commit_proof.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/new_message.hpp"
#include "relay/smtp/data_reader.hpp"

namespace relay::app {

class OfflineContent {
 public:
  /// The references must outlive this. `check` gets the header.
  OfflineContent(OfflineLookups& lookups, const inbound::Policy& policy, mail::MessageId id,
                 auth::MessageCheck& check);

  /// All of the content, before dot-stuffing; the last line may lack its CRLF. To be called once.
  /// The result refuses it, as the reply after the end of data would.
  std::optional<smtp::Reply> take(std::string_view content);

  /// After take(), if that refused nothing.
  const inbound::Intake& intake() const { return intake_; }

 private:
  /// Takes chunks and forgets them.
  class NoQueue final : public ports::IntakeQueue {
   public:
    base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                              std::uint32_t sequence,
                                                              std::string chunk) override;

    void discard(mail::MessageId) noexcept override {}

    base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
        ports::NewMessage message) override;
    base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
    accepted_within(std::chrono::milliseconds span, std::size_t limit) override;

    bool poisoned() const noexcept override { return false; }

    base::WallTime now() const noexcept override { return wall_now(); }
  };

  base::Task<> read(std::string_view content);
  base::Task<> feed(std::string_view wire);

  OfflineLookups& lookups_;
  NoQueue queue_;
  inbound::FairShare memory_;
  inbound::Intake intake_;
  smtp::DataReader reader_;
};

}  // namespace relay::app
