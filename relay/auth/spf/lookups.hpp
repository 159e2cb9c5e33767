// The lookups of one SPF evaluation, with every limit on them (RFC 7208 §4.6.4). Knows how errors
// of the DNS become results, and nothing of records.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::spf {

inline constexpr std::size_t kMaxTerms = 10;        // RFC 7208 §4.6.4: terms that cause lookups
inline constexpr std::size_t kMaxVoids = 2;         // terms that ask for what does not exist
inline constexpr std::size_t kMaxMxNames = 10;      // of one mechanism; one more is a permerror
inline constexpr std::size_t kMaxClientNames = 10;  // PTR; the rest is ignored

/// Ours: ten mx terms of ten hosts each would make us ask 111 questions.
inline constexpr std::size_t kMaxQueries = 60;

/// What ends an evaluation without a match: TempError or PermError, or None for no record.
struct Trouble {
  mail::SpfResult result = mail::SpfResult::PermError;
  std::string problem;      ///< one line of printable US-ASCII
  bool unfinished = false;  ///< by kMaxQueries, which no standard knows
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

  /// To be called for every term that causes lookups, before it does. However many of its lookups
  /// find nothing, it is one of kMaxVoids: the RFC counts terms.
  Found<void> begin_term();

  /// TXT records; none when the name does not exist, which is no void lookup here: for a record
  /// it is a result of its own, for an explanation it does not matter.
  base::Task<Found<std::vector<std::string>>> texts(std::string name);

  /// Addresses of the client's family.
  base::Task<Found<std::vector<boost::asio::ip::address>>> addresses(std::string name);

  /// The same of a host out of mx_names(). One that no host can be is not asked for, and does not
  /// exist: some resolvers answer for an address with that address.
  base::Task<Found<std::vector<boost::asio::ip::address>>> mx_addresses(std::string host);

  /// Whether there is an A record, whatever the client's family (§5.7).
  base::Task<Found<bool>> has_v4_address(std::string name);

  /// Names of the MX hosts, as ports::MxHost has them; none for a null MX.
  base::Task<Found<std::vector<std::string>>> mx_names(std::string name);

  /// Whether a confirmed name of the client is `name` or under it (§5.5).
  base::Task<Found<bool>> client_is_under(std::string name);

  /// The value of %{p}: a confirmed name, `domain` itself or under it if there is one (§7.3); ""
  /// without any. The first question for the client's names counts as a term (§4.6.4).
  base::Task<Found<std::string>> client_name(std::string domain);

  /// For an explanation, which comes after the result: terms and voids are free from here on.
  void stop_counting() { counting_ = false; }

  std::size_t terms() const { return terms_; }

  std::size_t voids() const { return voids_; }

  std::size_t queries() const { return queries_; }

 private:
  using Addresses = std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>;

  struct ClientName {
    std::string name;
    std::optional<bool> confirmed;  ///< unknown until asked
  };

  ports::IpFamily family() const {
    return client_.is_v4() ? ports::IpFamily::V4 : ports::IpFamily::V6;
  }

  /// Whether the time for the whole evaluation is over, and not only that for one answer.
  bool is_late() const { return deadline_.passed(clock_.steady()); }

  Found<void> count_term();
  Found<void> count_query();
  Found<void> count_void(const std::string& name);

  /// What an error means where the RFC says nothing special (§5): success for "nothing there".
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
  std::size_t queries_ = 0;
  bool counting_ = true;
  bool term_is_void_ = false;  ///< one of its lookups found nothing
  std::optional<std::vector<ClientName>> client_names_;
};

}  // namespace relay::auth::spf
