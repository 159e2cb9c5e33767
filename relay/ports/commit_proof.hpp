// What a queue answers when a message is on stable storage.
#pragma once

#include <cstddef>
#include <string>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// Proof that a message is on stable storage. Only a queue can make one, and the 250 after DATA
/// cannot be built without it, so a false promise does not compile (guarantee "Accepted means on
/// disk").
class CommitProof {
 public:
  const mail::MessageId& id() const { return id_; }

 private:
  friend class IntakeQueue;

  explicit CommitProof(mail::MessageId id) : id_(id) {}

  mail::MessageId id_;
};

/// A message accepted before, and its NewMessage::resend_key.
struct RememberedMessage {
  CommitProof proof;
  std::string resend_key;
};

/// So many of the newest messages with a resend key are remembered, at least.
inline constexpr std::size_t kMostRemembered = 20'000;

}  // namespace relay::ports
