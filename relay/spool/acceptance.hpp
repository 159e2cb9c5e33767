// What one commit of the intake is made of: limits first, then all of it. Inside a transaction.
#pragma once

#include <expected>

#include "relay/spool/awaiting.hpp"
#include "relay/spool/messages.hpp"
#include "relay/spool/tokens.hpp"

namespace relay::spool {

class Acceptance {
 public:
  Acceptance(Contents& contents, Messages& messages, Tokens& tokens, Awaiting& awaiting)
      : contents_(contents), messages_(messages), tokens_(tokens), awaiting_(awaiting) {}

  /// On an error nothing was written. A message that is there is not stored again.
  std::expected<void, ports::SpoolError> accept(const ports::NewMessage& message,
                                                const ContentCut& cut, base::WallTime now);

 private:
  std::expected<void, ports::SpoolError> check(const ports::NewMessage& message,
                                               const ContentCut& cut);

  Contents& contents_;
  Messages& messages_;
  Tokens& tokens_;
  Awaiting& awaiting_;
};

}  // namespace relay::spool
