// The only way to a 250 after DATA: it takes the proof that the message is stored.
#pragma once

#include "relay/ports/commit_proof.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

class AcceptedReply {
 public:
  /// `250 2.0.0 queued as <ULID>`, for a message that is on stable storage.
  static smtp::EndOfDataReply of(const ports::CommitProof& proof) {
    return smtp::EndOfDataReply::accepted(smtp::AcceptedKey{}, proof.id().to_string());
  }
};

}  // namespace relay::inbound
