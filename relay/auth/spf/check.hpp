// check_host() of RFC 7208: may this client send mail in the name of that domain? Independent of
// message and policy: what a verdict leads to is decided elsewhere, and never by SPF alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "relay/auth/spf/lookups.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::spf {

struct Sender {
  std::string local_part;  ///< decoded; "" is treated as "postmaster" (§4.3)
  std::string domain;

  static Sender of(const mail::Mailbox& mailbox) {
    return {mailbox.local_part(), mailbox.domain().folded()};
  }
};

struct Query {
  boost::asio::ip::address client;  ///< IPv4 mapped into IPv6 is treated as IPv4 (§5)
  mail::SpfIdentity identity = mail::SpfIdentity::MailFrom;
  std::string helo;                 ///< as the client sent it
  std::optional<Sender> mail_from;  ///< nullopt for the null sender: then HELO is checked (§2.4)
  std::string receiver;             ///< our host name, for %{r}
  base::Deadline deadline;          ///< after it the result is TempError (§4.6.4: allow 20 s)
  std::size_t max_queries = kMaxQueries;
  bool explain = false;  ///< whether to look up the explanation of a Fail (§6.2)
};

struct Evaluation {
  /// `identity` is the one that was checked, Helo for the null sender. `mechanism` is the directive
  /// that matched in the domain's own record ("include:…", not what matched inside), or in the
  /// record it redirects to; cut at 255 octets, and "" when nothing matched (Received-SPF then has
  /// "default", §9.1). The texts contain only visible US-ASCII and, in `problem`, spaces.
  mail::SpfVerdict verdict;
  /// Printable US-ASCII written by the domain's owner: quote it as foreign text
  std::string explanation;
  std::size_t terms = 0;  ///< terms that caused lookups
  std::size_t voids = 0;
  std::size_t queries = 0;  ///< distinct questions
};

/// Respects the deadline as far as the resolver does. `resolver` and `clock` must outlive the task.
base::Task<Evaluation> check(ports::Resolver& resolver, ports::Clock& clock, Query query);

/// Whether `domain` has several labels, each of 1 to 63 octets, at most 253 octets in all, and is
/// no address literal. Anything else has no SPF record (§4.3).
bool may_have_record(std::string_view domain);

}  // namespace relay::auth::spf
