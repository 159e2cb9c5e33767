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

struct Results {
  std::string authserv_id;      ///< as written, without quotes
  std::vector<Result> results;  ///< empty for "none"
};

/// The whole value, or nothing. Of versions only 1 is understood (§2.2).
std::optional<Results> parse_results(std::string_view value);

/// The authserv-id alone, of a value whose rest may be anything: quotes removed, nothing folded.
/// nullopt where the text up to the first ";" is not what the grammar wants.
std::optional<std::string> authserv_id_of(std::string_view value);

}  // namespace relay::auth::results
