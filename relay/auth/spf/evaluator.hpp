// Evaluates SPF records: the first match wins, include, redirect (RFC 7208 §4.6, §5, §6.1).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/auth/spf/check.hpp"
#include "relay/auth/spf/lookups.hpp"
#include "relay/auth/spf/macro.hpp"
#include "relay/auth/spf/record.hpp"

namespace relay::auth::spf {

/// The result of one check_host().
struct Finding {
  mail::SpfResult result = mail::SpfResult::None;
  std::string directive;                   ///< the one that matched, as written
  std::string problem;                     ///< set for errors
  bool unfinished = false;                 ///< stopped by our own limit (Trouble::unfinished)
  std::string domain;                      ///< whose record decided, after redirects
  std::optional<MacroString> explanation;  ///< exp= of that record
};

/// Includes are nested coroutines; each uses one of kMaxTerms, which limits the depth.
class Evaluator {
 public:
  /// `query` is normalised: client not mapped, mail_from set. All arguments must outlive this
  /// object.
  Evaluator(const Query& query, base::WallTime now, Lookups& lookups)
      : query_(query), now_(now), lookups_(lookups) {}

  base::Task<Finding> check_host(std::string domain);

  /// The text that exp= of a Fail refers to; "" if there is none (§6.2).
  base::Task<std::string> explanation_of(const Finding& finding);

 private:
  /// The record of the domain, without directives that cannot decide for this client.
  base::Task<Found<Record>> fetch(std::string domain);
  void drop_undecisive(Record& record) const;

  base::Task<Found<const Directive*>> first_match(const Record& record, const std::string& domain);
  base::Task<Found<bool>> matches(const Directive& directive, const std::string& domain);
  bool any_matches(const Directive& directive,
                   const std::vector<boost::asio::ip::address>& addresses) const;
  base::Task<Found<bool>> address_matches(const Directive& directive, std::string name);
  base::Task<Found<bool>> mx_matches(const Directive& directive, std::string name);
  base::Task<Found<bool>> include_matches(std::string name);

  /// The name that a macro string expands to; the client's name is looked up only if %{p} occurs.
  base::Task<Found<std::string>> name_of(const MacroString& macros, const std::string& domain);
  MacroValues values(const std::string& domain) const;

  const Query& query_;
  base::WallTime now_;
  Lookups& lookups_;
};

}  // namespace relay::auth::spf
