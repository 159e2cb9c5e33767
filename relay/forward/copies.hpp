// The copies of one message: one for each target, those that stand by for it, and those that end
// before they leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/forward/copy_senders.hpp"
#include "relay/forward/directory.hpp"
#include "relay/forward/plan.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/mail/message.hpp"

namespace relay::forward {

/// For one message; all references outlive it. `mark` is the field that names the alias to readers,
/// `size` is that of the message in octets; 0: not known.
class Copies {
 public:
  Copies(const Directory& directory, CopySenders& senders, mail::AliasMark mark, std::uint64_t size)
      : directory_(directory), senders_(senders), mark_(mark), size_(size) {}

  /// Adds a copy for each target that has none; returns the refusal of the message, if any.
  std::optional<Rejection> add(const ResolvedRecipient& recipient);

  std::vector<mail::Route> take_routes() { return std::move(routes_); }

  std::vector<std::size_t> take_chosen() { return std::move(chosen_); }  ///< see Plan

 private:
  bool has_copy(const mail::Mailbox& target, bool may_be_replaced) const;
  std::optional<Rejection> add_copy(const mail::Mailbox& target, std::uint16_t group,
                                    const ResolvedRecipient& recipient);
  void add_fallback(const Fallback& fallback, std::uint16_t group,
                    const ResolvedRecipient& recipient);
  bool add_standby(const mail::Mailbox& target, std::uint16_t group,
                   const ResolvedRecipient& recipient);
  std::optional<Rejection> add_ended(const mail::Mailbox& target, mail::End ended,
                                     const ResolvedRecipient& recipient);
  mail::Route route_to(const mail::Mailbox& target, const ResolvedRecipient& recipient) const;
  mail::AliasMark mark_for(const ResolvedRecipient& recipient) const;
  void keep(mail::Route route, CopySenders::Chosen chosen);

  const Directory& directory_;
  CopySenders& senders_;
  mail::AliasMark mark_;
  std::uint64_t size_;

  std::vector<mail::Route> routes_;
  std::vector<std::size_t> chosen_;
  std::map<std::string, std::uint16_t> reached_;  ///< folded target: group of its copy
  std::uint16_t groups_ = 0;  ///< of copies that fallback copies can replace, so far
};

}  // namespace relay::forward
