// Makes foreign text safe for an Authentication-Results field (RFC 8601 §2.2).
#pragma once

#include <string>
#include <string_view>

namespace relay::auth::results {

/// Octets that a field may contain: UTF-8 only in a message that came with SMTPUTF8 (RFC 8616 §4).
enum class Octets { Ascii, Utf8 };

/// A pvalue as written in the field. Whatever it was made from, it contains no CR, LF or NUL,
/// begins no comment, ends no result, and has no "=", so that no careless parser can find
/// "dmarc=pass" in it. Text that does not fit is dropped or replaced by "unknown".
class Value {
 public:
  /// A token (RFC 2045 §5.1) unchanged; harmless printable ASCII in quotes; else "unknown".
  static Value of(std::string_view text);

  /// A domain name with A-labels; else like of().
  static Value domain(std::string_view text);

  /// `[local-part]@domain`. The domain alone if the local part is not a plain dot-string or has
  /// octets that are not allowed; alignment needs only the domain.
  static Value mailbox(std::string_view local_part, std::string_view domain, Octets octets);

  /// Like mailbox(), with `text` divided at its last "@"; without "@" like domain().
  static Value address(std::string_view text, Octets octets);

  /// A reason, in quotes: at most 120 octets, without harmful ones.
  static Value reason(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  explicit Value(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace relay::auth::results
