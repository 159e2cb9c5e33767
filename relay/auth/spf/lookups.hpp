// The lookups of one SPF evaluation with all limits (RFC 7208 §4.6.4). Maps DNS errors to SPF
// results; does not know records.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::spf {

inline constexpr std::size_t kMaxTerms = 10;        // RFC 7208 §4.6.4: terms that cause lookups
inline constexpr std::size_t kMaxVoids = 2;         // terms whose lookups find nothing
inline constexpr std::size_t kMaxMxNames = 10;      // of one mechanism; more are a permerror
inline constexpr std::size_t kMaxClientNames = 10;  // PTR names of the client; the rest is ignored

// Our own limits, in distinct questions of one evaluation: a question that it has asked before
// costs nothing. Together they are the 120 of a message (MessageLookups), and each identity has its
// own share, so that neither can use up the other's. RFC 7208 allows 111, ten mx terms of ten
// hosts.
inline constexpr std::size_t kMaxQueries = 100;     // MAIL FROM; HELO when the sender is null
inline constexpr std::size_t kMaxHeloQueries = 20;  // HELO beside a MAIL FROM: for the report only

/// Why an evaluation ends without a match: TempError, PermError, or None for no record.
struct Trouble {
  mail::SpfResult result = mail::SpfResult::PermError;
  std::string problem;      ///< one line of printable US-ASCII
  bool unfinished = false;  ///< stopped by a limit that no standard has
};

template <class T>
using Found = std::expected<T, Trouble>;

class Lookups {
 public:
  Lookups(ports::Resolver& resolver, ports::Clock& clock, boost::asio::ip::address client,
          base::Deadline deadline, std::size_t max_queries)
      : resolver_(resolver),
        clock_(clock),
        client_(std::move(client)),
        deadline_(deadline),
        max_queries_(max_queries) {}

  /// Call before the lookups of each term that causes any. A term counts once towards kMaxVoids,
  /// however many of its lookups find nothing, because the RFC counts terms.
  Found<void> begin_term();

  /// TXT records; empty when there are none. That is not counted as a void lookup: for a record it
  /// is the result None, and for an explanation it does not matter.
  base::Task<Found<std::vector<std::string>>> texts(std::string name);

  /// Addresses of the client's family.
  base::Task<Found<std::vector<boost::asio::ip::address>>> addresses(std::string name);

  /// The same for a host from mx_names(). A name that cannot be a host name is not looked up and
  /// treated as missing, because some resolvers answer an address literal with that address.
  base::Task<Found<std::vector<boost::asio::ip::address>>> mx_addresses(std::string host);

  /// Whether there is an A record, whatever the client's address family (§5.7).
  base::Task<Found<bool>> has_v4_address(std::string name);

  /// Names of the MX hosts in the form of ports::MxHost; empty for a null MX.
  base::Task<Found<std::vector<std::string>>> mx_names(std::string name);

  /// Whether a confirmed name of the client is `name` or below it (§5.5).
  base::Task<Found<bool>> client_is_under(std::string name);

  /// The value of %{p}: a confirmed name of the client, preferably `domain` itself or a name below
  /// it (§7.3); "" if there is none. The first lookup of the client's names counts as a term
  /// (§4.6.4).
  base::Task<Found<std::string>> client_name(std::string domain);

  /// Terms and void lookups are not limited after this call: for the explanation, after the result.
  void stop_counting() { counting_ = false; }

  std::size_t terms() const { return terms_; }

  std::size_t voids() const { return voids_; }

  /// Distinct questions.
  std::size_t queries() const { return asked_.size(); }

 private:
  using Addresses = std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>;

  struct ClientName {
    std::string name;
    std::optional<bool> confirmed;  ///< nullopt: not checked yet
  };

  ports::IpFamily family() const {
    return client_.is_v4() ? ports::IpFamily::V4 : ports::IpFamily::V6;
  }

  std::string_view address_type() const { return client_.is_v4() ? "a" : "aaaa"; }

  /// Whether the time for the whole evaluation has passed, not only that for one answer.
  bool is_late() const { return deadline_.passed(clock_.steady()); }

  Found<void> count_term();
  Found<void> count_query(std::string_view type, const std::string& name);
  Found<void> count_void(const std::string& name);

  /// What a DNS error means where the RFC has no special rule (§5); success means "no records".
  Found<void> judge(ports::DnsError error, const std::string& name);

  base::Task<Addresses> ask_addresses(std::string name, ports::IpFamily family);
  base::Task<Found<void>> find_client_names();
  base::Task<Found<bool>> is_confirmed(ClientName& candidate);

  ports::Resolver& resolver_;
  ports::Clock& clock_;
  boost::asio::ip::address client_;
  base::Deadline deadline_;
  std::size_t max_queries_;
  std::size_t terms_ = 0;
  std::size_t voids_ = 0;
  std::set<std::string> asked_;  ///< by type and name in lower case; at most max_queries_
  bool counting_ = true;
  bool term_is_void_ = false;  ///< a lookup of this term has found nothing
  std::optional<std::vector<ClientName>> client_names_;
};

}  // namespace relay::auth::spf
