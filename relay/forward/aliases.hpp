// The aliases of our domains, as the operator wrote them: [defaults], [[domain]].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/source_place.hpp"
#include "relay/forward/dmarc_settings.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/message.hpp"

namespace relay::forward {

enum class UnknownRecipient { Reject, TempFail };

struct Defaults {
  UnknownRecipient unknown = UnknownRecipient::Reject;
  char tag = '+';        ///< begins a sub-address; 0: no sub-addresses
  bool keep_tag = true;  ///< keep the sub-address in the target's address
  /// Target of postmaster@ every domain of ours, abuse@ the SRS domain and the host name, and
  /// MAILER-DAEMON@ the host name, unless there is an alias of that name.
  std::optional<mail::Mailbox> postmaster;
  mail::AliasMark mark_alias = mail::AliasMark::None;  ///< field that names the alias in each copy
  DmarcSettings dmarc;
  base::SourcePlace tag_at = {};
  base::SourcePlace postmaster_at = {};
};

struct Alias {
  std::string local_part;  ///< folded (mail/folding.hpp); "*" is the catch-all
  std::vector<mail::Mailbox> targets;
  std::optional<Rejection> reject;
  std::optional<bool> keep_tag;
  bool discard = false;                        ///< mail is accepted and thrown away
  std::optional<std::int64_t> expires = {};    ///< the last Unix second in which it exists
  std::uint64_t max_size = 0;                  ///< octets of a message; 0: the limit of [limits]
  std::optional<mail::Mailbox> fallback = {};  ///< gets mail that no target accepted
  DmarcOverrides dmarc = {};
  base::SourcePlace at = {};  ///< of its key
};

struct Pattern {
  std::string match;                 ///< RE2, whole local part, without case
  std::vector<std::string> targets;  ///< templates: ${name}, ${1}
  base::SourcePlace at = {};         ///< of its targets
};

struct HostedDomain {
  mail::Domain name;  ///< of a wildcard: the domain in front of which "*." stands
  std::vector<Alias> aliases;
  std::vector<Pattern> patterns;
  std::optional<mail::Domain> map_to;  ///< maps every local part to the same one there
  DmarcOverrides dmarc = {};
  bool is_wildcard = false;  ///< stands for every domain below `name` at any depth, not for `name`

  /// The key in DomainTable: "example.org" or "*.example.org".
  std::string text() const { return (is_wildcard ? "*." : "") + name.folded(); }

  /// One of the domains it stands for.
  mail::Domain example() const {
    return is_wildcard ? mail::Domain::parse("any." + name.folded()).value_or(name) : name;
  }

  base::SourcePlace map_to_at = {};
};

}  // namespace relay::forward
