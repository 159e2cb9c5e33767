#include "relay/mail/dsn_group.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "relay/base/text.hpp"

namespace relay::mail {

namespace {

int gravity(const DsnRecipient& recipient) {
  if (recipient.kind == DsnKind::Delayed) return 0;
  if (recipient.end == End::Expired) return 1;
  return recipient.end == End::Returned ? 2 : 3;
}

/// Joined with "\n", which no address contains.
std::string key_of(const DsnRecipient& recipient, bool hide_targets) {
  std::string key = base::lower(recipient.original.to_string());
  if (!hide_targets) key += '\n' + base::lower(recipient.target.to_string());
  return key;
}

void add(DsnGroup& group, const DsnRecipient& recipient) {
  if (recipient.kind == DsnKind::Failed) {
    ++group.failed;
    return;
  }
  ++group.delayed;
  if (!recipient.retry_until) return;
  group.retry_until = group.retry_until ? std::min(*group.retry_until, *recipient.retry_until)
                                        : recipient.retry_until;
}

}  // namespace

bool is_graver(const DsnRecipient& a, const DsnRecipient& b) {
  const int of_a = gravity(a);
  const int of_b = gravity(b);
  return of_a != of_b ? of_a > of_b : a.attempt.at > b.attempt.at;
}

std::vector<DsnGroup> grouped(const std::vector<DsnRecipient>& recipients, bool hide_targets) {
  std::vector<DsnGroup> groups;
  std::unordered_map<std::string, std::size_t> place;
  for (const DsnRecipient& recipient : recipients) {
    const auto [found, is_new] = place.emplace(key_of(recipient, hide_targets), groups.size());
    if (is_new) {
      groups.push_back({.gravest = recipient, .retry_until = {}});
    } else if (is_graver(recipient, groups[found->second].gravest)) {
      groups[found->second].gravest = recipient;
    }
    add(groups[found->second], recipient);
  }
  return groups;
}

}  // namespace relay::mail
