// Reads the value of a From field (RFC 5322 §3.6.2), either strictly as an address list, or like a
// person who looks for addresses in it. Obsolete forms (RFC 5322 §4.4) are accepted where they are
// unambiguous.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

/// Every step returns false, or an empty text, for anything it does not know: a From field that two
/// programs could understand differently must not count as an address list.
class AuthorReader {
 public:
  /// `text`: unfolded; outlives the reader.
  explicit AuthorReader(std::string_view text) : rest_(text) {}

  /// The domains as written, without comments and white space; empty when the text is no address
  /// list.
  std::vector<std::string> read();

  /// After read(): the text is one mailbox and nothing else.
  bool is_plain() const { return plain_; }

  /// After read(): the text is one group without members, which is a valid list.
  bool is_empty_group() const {
    return empty_group_ && domains_.empty() && rest_.empty() && !open_comment_;
  }

  /// Every name with a dot and every address literal that stands behind an "@", in the order of the
  /// text, even in quotes and comments. "Ann @ Acme" names no domain. Empty when the text has more
  /// "@" than any real address list.
  static std::vector<std::string> names_behind_at_signs(std::string_view text);

  /// The text without comments and quoted strings, except those that are never closed; "" when it
  /// has more of them than any real text.
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
  std::size_t words_ = 0;  ///< how many the last read_words() found
  std::vector<std::string> domains_;
  bool plain_ = true;
  bool open_comment_ = false;
  bool empty_group_ = false;
};

}  // namespace relay::mail
