// Reads the value of an Authentication-Results field by the tokens of RFC 8601 §2.2: white space,
// comments, quoted strings. Does not know methods or properties.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace relay::auth::results {

/// A position in a text, which must outlive it. A copy advances independently.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }

  bool next_is(char c) const { return !at_end() && text_[at_] == c; }

  bool next_is_white() const;  ///< space, tab, CR or LF

  /// Skips `c`; false if it is not the next octet.
  bool take(char c);

  /// Skips white space and comments, nested to any depth; false if a comment does not end.
  bool skip_cfws();

  std::string_view take_while(bool (*belongs)(char));

  /// The content of a quoted string, with quoted pairs and folding undone.
  std::optional<std::string> quoted_string();

  /// A value of RFC 2045: token or quoted string.
  std::optional<std::string> value();

  /// The text up to the next ";" outside of quotes and comments, or to the end; nullopt if a quoted
  /// string or comment does not end.
  std::optional<std::string_view> part();

  /// Skips anything up to white space or a comment.
  void skip_word();

 private:
  bool skip_octet();
  bool skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace relay::auth::results
