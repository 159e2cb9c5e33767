// Parses Authentication-Results values (RFC 8601 §2.2): comments, folding, quoted strings,
// versions. Pure and linear. Whether the authserv-id is ours or trusted is for the caller to
// decide.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::auth::results {

/// ptype "." property "=" pvalue. Names in lower case, the value unquoted.
struct Property {
  std::string ptype;
  std::string name;
  std::string value;

  friend bool operator==(const Property&, const Property&) = default;
};

/// method "=" result and what follows; both in lower case.
struct Result {
  std::string method;
  std::string result;
  std::string reason;  ///< unquoted
  std::vector<Property> properties;

  friend bool operator==(const Result&, const Result&) = default;

  /// The value of the first property of this name, "smtp.mailfrom"; nullptr without one.
  const std::string* find(std::string_view full_name) const;
};

/// The folded domain in a value of the form "ann@sender.example", "<ann@sender.example>" or
/// "sender.example". nullopt for anything else, address literals included.
std::optional<std::string> domain_in(std::string_view value);

struct Results {
  std::string authserv_id;      ///< as written, unquoted; may be "" when parsed leniently
  std::vector<Result> results;  ///< empty for "none"
};

/// Strict: nullopt unless the whole value is valid. The only version accepted is 1 (§2.2).
std::optional<Results> parse_results(std::string_view value);

/// Parses what can be understood of a value that a trusted sealer or gateway wrote: large ones
/// deviate from the grammar ("dmarc=pass action=none header.from=…", "x-bits=2048", "client-ip=…",
/// an empty value, a ";" at the end, no authserv-id). Parts between ";" that are no result are
/// skipped, and so are words of a result that are neither reason nor property; method and result
/// are kept, whatever follows them. nullopt when a quoted string or comment does not end, since it
/// is unclear where it should. The version is not checked.
std::optional<Results> parse_results_leniently(std::string_view value);

/// The authserv-id alone, unquoted and not folded; the rest of the value may be anything. nullopt
/// if the text up to the first ";" is not valid.
std::optional<std::string> authserv_id_of(std::string_view value);

}  // namespace relay::auth::results
