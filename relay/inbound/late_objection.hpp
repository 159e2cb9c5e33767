// The checks of a client that are made only when the content is in.
#pragma once

#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// Objections to the client a gateway has named: of the DNS lists where
/// Transaction::is_listed_late(), and of the rates where it was found in Received, so that RCPT has
/// not counted it. There is no greylisting: the gateway tries again whoever the client was. The
/// references belong to the caller, who awaits.
base::Task<std::optional<smtp::Reply>> late_objection(AbuseControl& abuse,
                                                      const Transaction& transaction,
                                                      base::Deadline deadline);

}  // namespace relay::inbound
