#include "relay/settings/toml_scan.hpp"

#include <algorithm>

#include "relay/base/text.hpp"
#include "relay/settings/files.hpp"

namespace relay::settings {

namespace {

constexpr std::string_view kOutside = "a character here must be ASCII, or stand in quotes";
constexpr std::string_view kEscaped = "behind a backslash, a character must be ASCII";

/// Goes through the text by the same steps as the parser, as long as the text is TOML. The parser
/// stops at the first thing that is not TOML; what is found behind it does not matter.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<Unreadable> find() {
    at_ = text_.size() - without_mark(text_).size();
    while (at_ < text_.size() && !found_) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        string(c);
      } else if (c == '#') {
        number_ = false;
        token_ = false;
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        bare(c);
        ++at_;
      }
    }
    return found_;
  }

 private:
  void refuse(std::string_view reason) { found_ = Unreadable{at_, reason}; }

  /// One character outside of strings and comments.
  void bare(char c) {
    if (base::is_eight_bit(c)) return refuse(kOutside);
    constexpr std::string_view kEndsToken = " \t\r\n\v\f]},";
    if (kEndsToken.contains(c)) {
      token_ = false;
      number_ = false;
    } else if (!number_) {
      constexpr std::string_view kBeginsNumber = "+-.0123456789";
      number_ = !token_ && value_ && kBeginsNumber.contains(c);
      token_ = c != '=' && c != '[' && c != '{';
    }
    structure(c);
  }

  /// Whether a key or a value comes next.
  void structure(char c) {
    switch (c) {
      case '[':
      case '{':
        open_ += c;
        value_ = value_ && c == '[';
        break;
      case ']':
      case '}':
        if (!open_.empty()) open_.pop_back();
        value_ = true;
        break;
      case ',':
        value_ = open_.empty() || open_.back() == '[';
        break;
      case '=':
        value_ = true;
        break;
      case '\n':
        if (open_.empty()) value_ = false;
        break;
      default:
        break;
    }
  }

  /// Goes from the first quote of a string to behind its last one, or to the first fault in it.
  void string(char quote) {
    token_ = true;
    const std::string three(3, quote);
    const bool several_lines = text_.substr(at_).starts_with(three);
    at_ += several_lines ? 3 : 1;
    bool bound = false;  // to ASCII
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == quote && ends_here(quote, several_lines)) return;
      if (c == '\n' && !several_lines) return;
      // In a number the parser reads on behind a quote, and refuses the quote only afterwards.
      if (base::is_eight_bit(c) && (bound || number_)) return refuse(bound ? kEscaped : kOutside);
      if (c == '\\' && quote == '"') {
        bound = true;
        // Skip the escaped character, too, unless it ends the line or is not ASCII.
        const bool plain =
            at_ + 1 < text_.size() && text_[at_ + 1] != '\n' && !base::is_eight_bit(text_[at_ + 1]);
        at_ += plain ? 2 : 1;
        if (plain && !std::string_view(" \t\r").contains(text_[at_ - 1])) bound = false;
        continue;
      }
      if (!std::string_view(" \t\r\n").contains(c)) bound = false;
      ++at_;
    }
  }

  /// Whether the quotes here end the string; if so, goes behind them. A string of several lines
  /// ends with three quotes, and up to two more in front of these belong to its text.
  bool ends_here(char quote, bool several_lines) {
    if (!several_lines) {
      ++at_;
      return true;
    }
    const std::size_t behind = std::min(text_.find_first_not_of(quote, at_), text_.size());
    const std::size_t quotes = std::min<std::size_t>(behind - at_, 5);
    if (quotes < 3) return false;
    at_ += quotes;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Unreadable> found_;
  std::string open_;     ///< the brackets and braces that are open
  bool value_ = false;   ///< a value comes next, or is being read; otherwise a key
  bool token_ = false;   ///< within a word, number or string
  bool number_ = false;  ///< within what the parser reads as a number or date
};

}  // namespace

bool continues_character(char octet) {
  return (static_cast<unsigned char>(octet) & 0xC0U) == 0x80U;
}

std::optional<Unreadable> find_unreadable(std::string_view text) { return Scanner(text).find(); }

base::SourcePosition position_in(std::string_view text, std::size_t offset,
                                 const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto line = 1 + std::ranges::count(before, '\n');
  const auto column = 1 + std::ranges::count_if(before.substr(line_begin),
                                                [](char c) { return !continues_character(c); });
  return {file, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)};
}

}  // namespace relay::settings
