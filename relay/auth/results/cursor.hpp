// Walks through the value of an Authentication-Results field by the tokens of RFC 8601 §2.2: white
// space, comments, quoted strings. Knows no method and no property.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace relay::auth::results {

/// A place in a text, which must outlive it. Copies go on from there by themselves.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }

  bool next_is(char c) const { return !at_end() && text_[at_] == c; }

  bool next_is_white() const;  ///< space, tab, CR or LF

  /// Goes over `c`; false when it is not the next octet.
  bool take(char c);

  /// White space and comments, nested as deep as they like; false when one does not end.
  bool skip_cfws();

  std::string_view take_while(bool (*belongs)(char));

  /// The content of a quoted string, quoted pairs and folding undone.
  std::optional<std::string> quoted_string();

  /// value of RFC 2045: a token or a quoted string.
  std::optional<std::string> value();

  /// Up to the next ";" outside quotes and comments, or to the end; nullopt when one of those does
  /// not end.
  std::optional<std::string_view> part();

  /// Whatever it is, up to white space or a comment.
  void skip_word();

 private:
  bool skip_octet();
  bool skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace relay::auth::results
