// Decides, without any I/O, which copies of a message leave, and under which sender.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/forward/directory.hpp"
#include "relay/forward/plan.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/forward/strategy.hpp"
#include "relay/mail/header.hpp"
#include "relay/mail/message.hpp"

namespace relay::forward {

/// Immutable: one Planner serves all threads until the next reload.
class Planner {
 public:
  static std::expected<std::shared_ptr<const Planner>, std::string> make(
      const std::shared_ptr<const Policy>& policy, OrganisationOf organisation_of = {});

  /// Makes one route per distinct target, in the way that Strategy chooses for it; a copy that is
  /// too large for its alias has already ended as refused.
  /// Without evidence (incoming mail is not verified): mail to an SRS address leaves with the null
  /// sender, the null sender stays null, and any other sender gets an SRS address. No name of ours
  /// may be one that could be aligned with an author in From: if the SRS domain could, the original
  /// sender stays, and if that is of a domain of ours and could as well, the message is refused.
  std::expected<Plan, PlanRefusal> plan(const Incoming& message,
                                        const std::vector<ResolvedRecipient>& recipients,
                                        const std::optional<Evidence>& evidence) const;

  /// Replaces our SRS senders in the plan by the address of the message, whose sender nobody can
  /// answer, because the token of the original sender may not be stored.
  void give_up_sender(Plan& plan, const Incoming& message,
                      const std::optional<Evidence>& evidence) const;

  /// The header with a new author, for copies with Handling::new_author; nullopt when From has no
  /// author that could be replaced. `via` is the domain of the alias, as the reader knows it.
  std::optional<std::string> rewritten_header(const mail::Header& header,
                                              const mail::Domain& via) const;

  const Directory& directory() const { return directory_; }

  const Strategy& strategy() const { return strategy_; }

 private:
  Planner(Directory directory, Strategy strategy, const Policy& policy);

  Directory directory_;
  Strategy strategy_;
  std::string tag_field_;
  mail::AliasMark mark_ = mail::AliasMark::None;
};

}  // namespace relay::forward
