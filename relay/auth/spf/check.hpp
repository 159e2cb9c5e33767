// check_host() of RFC 7208: may this client send mail in that domain's name? Knows no message and
// no policy: what follows from a verdict is decided elsewhere, and never by SPF alone.
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
  std::string local_part;  ///< decoded; "" counts as "postmaster" (§4.3)
  std::string domain;

  static Sender of(const mail::Mailbox& mailbox) {
    return {mailbox.local_part(), mailbox.domain().folded()};
  }
};

struct Query {
  boost::asio::ip::address client;  ///< IPv4 mapped into IPv6 counts as IPv4 (§5)
  mail::SpfIdentity identity = mail::SpfIdentity::MailFrom;
  std::string helo;                 ///< as the client said it
  std::optional<Sender> mail_from;  ///< nothing for the null sender: then HELO is asked (§2.4)
  std::string receiver;             ///< our host name, for %{r}
  base::Deadline deadline;          ///< passed, the result is TempError (§4.6.4: allow 20 s)
  std::size_t max_queries = kMaxQueries;
  bool explain = false;  ///< whether to fetch the explanation of a Fail (§6.2); off by default
};

struct Evaluation {
  /// `identity` says which one was asked, Helo for the null sender. `mechanism` is the directive of
  /// the domain's own record that matched ("include:…", not what is in there), or of the record it
  /// redirects to; cut at 255 octets. It is "" when nothing matched: what writes a Received-SPF
  /// field puts "default" there (§9.1). No text holds anything but visible US-ASCII and, in
  /// `problem`, spaces.
  mail::SpfVerdict verdict;
  std::string explanation;  ///< printable US-ASCII from the domain's owner: not ours, quote it so
  std::size_t terms = 0;    ///< that caused lookups
  std::size_t voids = 0;
  std::size_t queries = 0;
};

/// Ends by the deadline as far as the resolver's calls do. `resolver` and `clock` outlive the task.
base::Task<Evaluation> check(ports::Resolver& resolver, ports::Clock& clock, Query query);

/// A name of several labels, each of 1 to 63 octets, at most 253 in all, and no address literal:
/// what else stands as a domain has no record (§4.3).
bool may_have_record(std::string_view domain);

}  // namespace relay::auth::spf
