// A DSN as a message of our own, ready for the queue (RFC 3464, RFC 5321 §6.1). Whether one may be
// written at all is decided in settlement.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "relay/delivery/policy.hpp"
#include "relay/mail/dsn.hpp"
#include "relay/ports/signer.hpp"
#include "relay/ports/spool.hpp"

namespace relay::delivery {

/// Mail that no human waits for gets no delay notices (RFC 3834 §2): auto-submitted, bulk, lists.
bool is_automatic(std::string_view header_block);

struct BounceOrder {
  mail::DsnKind kind = mail::DsnKind::Failed;
  mail::AcceptedMessage original;
  std::vector<mail::DsnRecipient> recipients;
  std::optional<base::WallTime> retry_until;
  std::string header_block;  ///< of the original
  base::WallTime now;
};

/// The DSN to the original reverse-path (which must not be null), itself under the null sender, so
/// that it never bounces (L-7). Signed for our hostname where `signer`, which may be null, has a
/// key; an unsigned DSN is better than none.
base::Task<ports::NewMessage> make_bounce(BounceOrder order, std::shared_ptr<const Policy> policy,
                                          ports::Signer* signer);

}  // namespace relay::delivery
