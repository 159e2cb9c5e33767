#include "relay/inbound/late_objection.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::inbound {

namespace {

bool is_for_postmaster(const forward::ResolvedRecipient& recipient) {
  return recipient.original.is_bare_postmaster() ||
         base::equal_ignoring_case(recipient.original.mailbox().local_part(), "postmaster");
}

}  // namespace

base::Task<std::optional<smtp::Reply>> late_objection(AbuseControl& abuse,
                                                      const Transaction& transaction,
                                                      base::Deadline deadline) {
  const Client& client = transaction.client();
  if (!transaction.is_listed_late()) co_return std::nullopt;
  const AbusePolicy& policy = transaction.policy().abuse;
  if (!std::ranges::all_of(transaction.recipients(), is_for_postmaster)) {
    const auto listed = co_await abuse.objection_to_client(client.named.address,
                                                           policy.dns_lists->at, policy, deadline);
    // RFC 5321 allows 554 in place of a greeting; a message is refused with 550.
    if (listed) co_return smtp::Reply(550, listed->status(), listed->text());
  }
  if (client.known_by != KnownBy::Received) co_return std::nullopt;
  const Admission admission{.origin = client.origin,
                            .reverse_path = {},
                            .forward_path = {},
                            .targets = {},
                            .first = true,
                            .is_bounce = transaction.is_bounce()};
  co_return abuse.objection_to_rate(admission, policy);
}

}  // namespace relay::inbound
