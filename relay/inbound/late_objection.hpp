// The checks of a client that becomes known only from the content.
#pragma once

#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// Objections of DNS lists and rates to the client found in Received; nullopt for a client known
/// otherwise. There is no greylisting: the gateway tries again whoever the client was. The
/// references belong to the caller, who awaits.
base::Task<std::optional<smtp::Reply>> late_objection(AbuseControl& abuse,
                                                      const Transaction& transaction,
                                                      base::Deadline deadline);

}  // namespace relay::inbound
