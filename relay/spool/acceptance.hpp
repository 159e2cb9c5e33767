// What one commit of the intake is made of: limits first, then all of it. Inside a transaction.
#pragma once

#include <expected>

#include "relay/spool/awaiting.hpp"
#include "relay/spool/messages.hpp"
#include "relay/spool/notices.hpp"
#include "relay/spool/tokens.hpp"

namespace relay::spool {

class Acceptance {
 public:
  Acceptance(Contents& contents, Messages& messages, Tokens& tokens, Awaiting& awaiting,
             Notices& notices)
      : contents_(contents),
        messages_(messages),
        tokens_(tokens),
        awaiting_(awaiting),
        notices_(notices) {}

  /// On an error nothing was written. A message that is there is not stored again.
  std::expected<void, ports::SpoolError> accept(const ports::NewMessage& message,
                                                const ContentCut& cut, base::WallTime now);

 private:
  std::expected<void, ports::SpoolError> check(const ports::NewMessage& message,
                                               const ContentCut& cut);
  /// Some of the copies have ended before they came.
  void settle(const ports::NewMessage& message, base::WallTime now);

  Contents& contents_;
  Messages& messages_;
  Tokens& tokens_;
  Awaiting& awaiting_;
  Notices& notices_;
};

}  // namespace relay::spool
