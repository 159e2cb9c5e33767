// What is asked about a client before it sends content, for one who is known by the content only.
#pragma once

#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// Why nothing is taken from the client that was found in Received: lists in the DNS, rates. Nobody
/// waits for a gateway's sake, which would come again whoever the client was: there is no greylist.
/// nullopt for every other client. References are the caller's, who awaits.
base::Task<std::optional<smtp::Reply>> late_objection(AbuseControl& abuse,
                                                      const Transaction& transaction,
                                                      base::Deadline deadline);

}  // namespace relay::inbound
