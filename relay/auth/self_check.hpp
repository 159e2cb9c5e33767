// Do our own signatures and seals hold, as whoever receives the message will see them? Reads what
// was made with the verifier's parsers, canonical forms and arithmetic; knows no private key, and
// nothing of how the fields were made. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/key_record.hpp"

namespace relay::auth {

/// The public half of a key of ours, as its domain publishes it.
struct PublishedKey {
  std::string domain;    ///< d=
  std::string selector;  ///< s=
  dkim::KeyRecord record;
};

/// A message as it is about to leave; our trace fields stand between the seal and the signatures.
struct SignedMessage {
  std::string_view arc_fields;    ///< our ARC set; "": it is not sealed
  std::string_view dkim_fields;   ///< our DKIM-Signatures
  std::string_view header_block;  ///< the header below them
  std::string_view body_hash;     ///< 32 octets, relaxed
};

struct SelfCheckFault {
  std::string domain;    ///< d= of the key whose signature does not hold
  std::string selector;  ///< s=
  std::string problem;   ///< one line of ours
};

/// The first thing that is wrong; nullopt when everything holds: one DKIM-Signature for each of
/// `signers`, in their order, and, unless there is no seal, a set by `sealer` on top of a chain
/// whose form is good (or that says itself that it is not).
std::optional<SelfCheckFault> fault_in(const SignedMessage& message,
                                       const std::vector<PublishedKey>& signers,
                                       const std::optional<PublishedKey>& sealer);

}  // namespace relay::auth
