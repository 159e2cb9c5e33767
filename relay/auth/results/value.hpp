// What others say, made fit to stand in an Authentication-Results field (RFC 8601 §2.2).
#pragma once

#include <string>
#include <string_view>

namespace relay::auth::results {

/// Octets a field may hold: UTF-8 only in a message that came with SMTPUTF8 (RFC 8616 §4).
enum class Octets { Ascii, Utf8 };

/// A pvalue as it stands in the field. Whatever it was made of, it holds no CR, LF or NUL, opens no
/// comment, ends no result, and has no "=" that could make "dmarc=pass" of it for a reader who only
/// looks for that: what does not fit is left out or is "unknown".
class Value {
 public:
  /// A token (RFC 2045 §5.1) as it is; harmless printable ASCII in quotes; "unknown" else.
  static Value of(std::string_view text);

  /// A domain name as A-labels; else as of().
  static Value domain(std::string_view text);

  /// `[local-part]@domain`. The domain alone when the local part is not a plain dot-string, or not
  /// of the octets allowed: alignment needs no more.
  static Value mailbox(std::string_view local_part, std::string_view domain, Octets octets);

  /// As above, `text` cut at its last "@"; without one as domain().
  static Value address(std::string_view text, Octets octets);

  /// The text of a reason, in quotes: octets that could do harm left out, at most 120.
  static Value reason(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  explicit Value(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace relay::auth::results
