// One commit of the intake: checks limits, then stores everything. Inside a transaction.
#pragma once

#include <expected>

#include "relay/ports/spool_error.hpp"
#include "relay/spool/awaiting.hpp"
#include "relay/spool/messages.hpp"
#include "relay/spool/notices.hpp"
#include "relay/spool/resends.hpp"
#include "relay/spool/tokens.hpp"

namespace relay::spool {

class Acceptance {
 public:
  Acceptance(Contents& contents, Messages& messages, Tokens& tokens, Awaiting& awaiting,
             Notices& notices, Resends& resends)
      : contents_(contents),
        messages_(messages),
        tokens_(tokens),
        awaiting_(awaiting),
        notices_(notices),
        resends_(resends) {}

  /// On an error nothing was written. A message that is stored already is not stored again.
  std::expected<void, ports::SpoolError> accept(const ports::NewMessage& message,
                                                const ContentCut& cut, base::WallTime now);

 private:
  std::expected<void, ports::SpoolError> check(const ports::NewMessage& message,
                                               const ContentCut& cut);
  /// Some copies ended on acceptance: writes their notices, and removes the message if none is
  /// open.
  void settle(const ports::NewMessage& message, base::WallTime now);

  Contents& contents_;
  Messages& messages_;
  Tokens& tokens_;
  Awaiting& awaiting_;
  Notices& notices_;
  Resends& resends_;
};

}  // namespace relay::spool
