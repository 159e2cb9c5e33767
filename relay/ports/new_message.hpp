// A message as it is given to a queue.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// A message to make durable. It is received, and its copies that are not held are due, at the time
/// of the commit by the store's clock.
struct NewMessage {
  mail::AcceptedMessage message;
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
  /// The content after what append() has taken, of any length: the queue divides it into chunks.
  std::string content;
  std::string content_sha256;               ///< 32 octets, over the whole original content
  std::string resend_key;                   ///< how it is known when sent again; "": never
  std::uint64_t max_awaiting = UINT64_MAX;  ///< copies, with these, that may await one address
  bool owes_notices = false;                ///< the sender gets a DSN for copies refused on entry
};

}  // namespace relay::ports
