// What a session keeps from MAIL to the end of the transaction, besides the envelope, which the
// machine holds. Destroyed at every boundary (guarantee "Nothing of one transaction reaches the
// next").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/inbound/intake.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/session_client.hpp"

namespace relay::ports {
class IntakeQueue;
}

namespace relay::inbound {

class Transaction {
 public:
  /// `session`: its number. `number`: of the machine's transaction. The policy stays the same to
  /// the end of the message. `client` must outlive this. `local`: our address of the connection.
  Transaction(std::uint64_t session, std::uint32_t number, std::shared_ptr<const Policy> policy,
              const SessionClient& client, const ports::Endpoint& local)
      : session_(session),
        number_(number),
        policy_(std::move(policy)),
        session_client_(client),
        gateway_(policy_->arrival.gateway_at(client.peer().address)),
        verifies_(policy_->arrival.listener_at(local).verify && policy_->check) {}

  std::uint64_t session() const { return session_; }

  std::uint32_t number() const { return number_; }

  const Policy& policy() const { return *policy_; }

  /// The client that sends this message.
  const Client& client() const { return received_ ? *received_ : session_client_.current(); }

  /// Who hands the message over to us: Received names it.
  const Client& handed_over_by() const { return session_client_.of_session(); }

  /// The client that asked for the recipients: Received cannot name another one for these.
  const Client& asker() const { return session_client_.current(); }

  /// The gateway the message comes through; nullptr: none.
  const GatewayPolicy* gateway() const { return gateway_; }

  /// The client is still to be found in Received: the peer is a gateway that passes mail on and has
  /// not named the client in SMTP.
  bool awaits_client() const {
    return gateway_ != nullptr && gateway_->reads_received && !client().is_claimed();
  }

  /// The lists are asked about the client after the content, and not before it: only then is the
  /// client known, or can the message be taken all the same.
  bool is_listed_late() const {
    return gateway_ != nullptr && client().is_claimed() &&
           (gateway_->has_accepted() || client().known_by == KnownBy::Received);
  }

  /// The client found in Received.
  void set_client(Client client) { received_.emplace(std::move(client)); }

  /// This message is verified.
  bool verifies() const { return verifies_; }

  /// The policy's limits; without those per client if the client is exempt.
  BounceLimits bounce_limits() const {
    const BounceLimits& limits = policy_->limits.bounces;
    return client().is_exempt ? limits.without_clients() : limits;
  }

  void add(forward::ResolvedRecipient recipient) {
    targets_ += recipient.copies();
    recipients_.push_back(std::move(recipient));
  }

  const std::vector<forward::ResolvedRecipient>& recipients() const { return recipients_; }

  /// A RCPT was answered that is forgiven when the message is taken (AbuseControl).
  void note_forgivable() { ++forgivable_; }

  std::uint32_t forgivable_attempts() const { return forgivable_; }

  /// It goes to an SRS address of ours.
  bool is_bounce() const { return !recipients_.empty() && recipients_.front().is_bounce; }

  /// The sender that the envelope sender stands for, if that is an SRS address of ours.
  const std::optional<mail::ReversePath>& stands_for() const { return stands_for_; }

  void set_stands_for(mail::ReversePath sender) { stands_for_ = std::move(sender); }

  std::size_t targets() const { return targets_; }  ///< copies this message would make

  /// Null: incoming mail is not verified, or no recipient was accepted yet.
  auth::MessageCheck* check() const { return check_.get(); }

  void begin_check(std::unique_ptr<auth::MessageCheck> check) { check_ = std::move(check); }

  /// `on_header`: see ContentReader.
  Intake& begin_content(ports::IntakeQueue& queue, FairShare::Holding memory, mail::MessageId id,
                        ContentReader::OnHeader on_header) {
    return intake_.emplace(queue, std::move(memory), id, std::move(on_header),
                           policy_->forgeable_ids(gateway_), policy_->limits.max_header);
  }

  /// As much of it as has come; null: none yet.
  const Intake* content() const { return intake_ ? &*intake_ : nullptr; }

 private:
  std::uint64_t session_;
  std::uint32_t number_;
  std::shared_ptr<const Policy> policy_;
  const SessionClient& session_client_;
  const GatewayPolicy* const gateway_;
  const bool verifies_;
  std::optional<Client> received_;
  std::vector<forward::ResolvedRecipient> recipients_;
  std::size_t targets_ = 0;
  std::uint32_t forgivable_ = 0;
  std::optional<mail::ReversePath> stands_for_;
  std::unique_ptr<auth::MessageCheck> check_;
  std::optional<Intake> intake_;
};

}  // namespace relay::inbound
