// Reads the value of a From field (RFC 5322 §3.6.2): as the address list that it should be, or as a
// person would who looks for the addresses in it. Obsolete forms (RFC 5322 §4.4) are read where
// they are unambiguous.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

/// Each step returns false, or an empty text, on anything it does not know: a From that two readers
/// could understand differently must not pass for a list.
class AuthorReader {
 public:
  /// `text`: unfolded; outlives the reader.
  explicit AuthorReader(std::string_view text) : rest_(text) {}

  /// The domains as written, comments and white space removed; empty when it is no address list.
  std::vector<std::string> read();

  /// One mailbox and nothing else.
  bool is_plain() const { return plain_; }

  /// A group without members, and nothing else: a list all the same.
  bool is_empty_group() const {
    return empty_group_ && domains_.empty() && rest_.empty() && !open_comment_;
  }

  /// Whatever stands behind an "@", quoted or not, in a comment or not, in the order of the text,
  /// as far as it has a dot in it: "Ann @ Acme" names no domain. An address literal is given as it
  /// stands.
  static std::vector<std::string> names_behind_at_signs(std::string_view text);

  /// The text without its comments and quoted strings, as far as those end; "" where there are more
  /// than anybody writes.
  static std::string visible(std::string_view text);

 private:
  bool read_address();
  bool read_group();
  bool read_mailbox();
  bool read_bracketed();
  bool read_words();
  std::string read_dotted();
  std::string read_domain();
  std::string read_literal();
  bool add(std::string domain);
  bool take(char c);
  bool skip_comments();
  bool skip_quoted_string();

  std::string_view rest_;
  std::size_t words_ = 0;  ///< just read
  std::vector<std::string> domains_;
  bool plain_ = true;
  bool open_comment_ = false;
  bool empty_group_ = false;
};

}  // namespace relay::mail
