// Verifies our own signatures and seals as a receiver would (guarantee "Our signatures hold"), with
// the parsers, canonical forms and arithmetic of the verifier. Does not use private keys or any
// code that makes the fields. Pure.
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

/// A message as it is about to leave. Our trace fields will stand between the seal and the
/// signatures.
struct SignedMessage {
  std::string_view arc_fields;    ///< our ARC set; "": it is not sealed
  std::string_view dkim_fields;   ///< our DKIM-Signatures
  std::string_view header_block;  ///< the header below them
  std::string_view body_hash;     ///< 32 octets, relaxed
};

struct SelfCheckFault {
  std::string domain;    ///< d= of the key whose signature does not hold
  std::string selector;  ///< s=
  std::string problem;   ///< one line in our own words
};

/// The first fault found; nullopt when there is none. Expected are one DKIM-Signature for each of
/// `signers`, in this order, and, if the message is sealed, an ARC set by `sealer` on top of a
/// chain that is well-formed or that our seal itself reports as failed (cv=fail).
std::optional<SelfCheckFault> fault_in(const SignedMessage& message,
                                       const std::vector<PublishedKey>& signers,
                                       const std::optional<PublishedKey>& sealer);

}  // namespace relay::auth
