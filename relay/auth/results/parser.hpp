// Reads Authentication-Results values (RFC 8601 §2.2): comments, folding, quoted strings, versions.
// Pure and linear. Judges nobody: whether the authserv-id is ours, or a friend's, is the caller's
// question.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::auth::results {

/// ptype "." property "=" pvalue; names in lower case, the value without quotes.
struct Property {
  std::string ptype;
  std::string name;
  std::string value;

  friend bool operator==(const Property&, const Property&) = default;
};

/// method "=" result …; both in lower case.
struct Result {
  std::string method;
  std::string result;
  std::string reason;  ///< without quotes
  std::vector<Property> properties;

  friend bool operator==(const Result&, const Result&) = default;

  /// The value of the first property of this name, "smtp.mailfrom"; nullptr without one.
  const std::string* find(std::string_view full_name) const;
};

/// The folded domain that a value names: "ann@sender.example", "<ann@sender.example>" or
/// "sender.example". nullopt of anything else, address literals included.
std::optional<std::string> domain_in(std::string_view value);

struct Results {
  std::string authserv_id;      ///< as written, without quotes; read leniently, it may be ""
  std::vector<Result> results;  ///< empty for "none"
};

/// The whole value, or nothing. Of versions only 1 is understood (§2.2).
std::optional<Results> parse_results(std::string_view value);

/// What can be understood of a value that is known to be from whom we believe, for a trusted sealer
/// signed it: big ones bend the grammar ("dmarc=pass action=none header.from=…", "x-bits=2048",
/// "client-ip=…", an empty value, a ";" at the end, no authserv-id). Parts between ";" that are no
/// result are left out, and so are words of a result that are neither reason nor property; a method
/// and its result stay, whatever follows them. nullopt when a quoted string or a comment does not
/// end: what is inside it and what is not, nobody could say. Versions of the field are not looked
/// at.
std::optional<Results> parse_results_leniently(std::string_view value);

/// The authserv-id alone, of a value whose rest may be anything: quotes removed, nothing folded.
/// nullopt where the text up to the first ";" is not what the grammar wants.
std::optional<std::string> authserv_id_of(std::string_view value);

}  // namespace relay::auth::results
