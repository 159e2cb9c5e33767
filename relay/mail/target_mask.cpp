#include "relay/mail/target_mask.hpp"

#include <algorithm>
#include <array>

#include "relay/base/text.hpp"
#include "relay/mail/dsn_text.hpp"

namespace relay::mail {

namespace {

constexpr std::string_view kHidden = "[hidden]";
constexpr std::size_t kMinBareName = 3;  // in octets; a shorter name occurs in every sentence

/// Local parts that are also common words of replies. Hiding such a word everywhere would reveal
/// the name of the target; showing it reveals nothing. They are hidden only where they are marked.
constexpr std::array<std::string_view, 38> kOrdinary = {
    "access",     "account",  "address",   "admin",   "administrator", "block",     "client",
    "contact",    "delivery", "domain",    "email",   "error",         "help",      "host",
    "info",       "mail",     "mailbox",   "message", "network",       "notify",    "policy",
    "postmaster", "quota",    "recipient", "relay",   "security",      "sender",    "server",
    "service",    "smtp",     "spam",      "support", "system",        "temporary", "test",
    "unknown",    "user",     "web"};

bool is_ordinary(std::string_view word) {
  return std::ranges::find(kOrdinary, word) != kOrdinary.end();
}

/// A letter, a digit, or an octet of a letter beyond ASCII.
bool is_letter(char c) { return base::is_alpha(c) || base::is_digit(c) || base::is_eight_bit(c); }

bool is_of_name(char c) { return is_letter(c) || c == '_'; }

bool is_of_host(char c) { return is_of_name(c) || c == '-'; }

bool is_of_local_part(char c) { return is_of_host(c) || c == '.' || c == '+' || c == '='; }

char before(std::string_view text, std::size_t at) { return at == 0 ? ' ' : text[at - 1]; }

char behind(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : ' '; }

/// Whether brackets, quotes or an "@" mark the word between as a name, not an ordinary word.
bool is_marked(char left, char right) {
  static constexpr std::string_view kOpening = "<\"'`([{";
  static constexpr std::string_view kClosing = ">\"'`)]}";
  return right == '@' || (kOpening.find(left) != std::string_view::npos &&
                          kClosing.find(right) != std::string_view::npos);
}

/// True when no further label follows, which would make it a longer, different name.
bool ends_host(std::string_view text, std::size_t end) {
  return !is_of_host(behind(text, end)) &&
         !(behind(text, end) == '.' && is_of_host(behind(text, end + 1)));
}

}  // namespace

TargetMask::TargetMask(const ForwardPath& alias, const Mailbox& target,
                       const DeliveryAttempt& attempt) {
  const std::string shown = seven_bit_address(alias.to_string());
  if (!alias.is_bare_postmaster()) keep(Kind::Address, alias.mailbox().to_string());
  hide(Kind::Address, target.to_string(), shown);
  hide(Kind::Address, target.local_part() + '@' + target.domain().text(), shown);
  if (!alias.is_bare_postmaster()) keep(Kind::Domain, alias.mailbox().domain().text());
  hide(Kind::Domain, target.domain().text(), kHidden);
  hide(Kind::Domain, attempt.host, kHidden);
  hide(Kind::Domain, attempt.address, kHidden);
  // Servers also name a mailbox without its sub-address.
  const std::string known =
      alias.is_bare_postmaster() ? "postmaster" : alias.mailbox().local_part();
  keep(Kind::Name, known);
  keep(Kind::Name, known.substr(0, known.find('+')));
  hide(Kind::Name, target.local_part(), kHidden);
  hide(Kind::Name, target.local_part().substr(0, target.local_part().find('+')), kHidden);
  // Within a kind the longest first, so that no part of a longer word is matched instead of it; of
  // equal words the public one first.
  std::ranges::sort(words_, [](const Word& a, const Word& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    if (a.folded.size() != b.folded.size()) return a.folded.size() > b.folded.size();
    return a.is_public && !b.is_public;
  });
}

void TargetMask::keep(Kind kind, std::string_view text) {
  if (text.empty()) return;
  std::string shown = seven_bit_address(text);
  if (shown == text) shown.clear();
  words_.push_back(
      {.kind = kind, .folded = base::lower(text), .shown = std::move(shown), .is_public = true});
}

void TargetMask::hide(Kind kind, std::string_view text, std::string_view shown) {
  if (text.empty()) return;
  Word word{.kind = kind, .folded = base::lower(text), .shown = std::string(shown)};
  word.is_ordinary =
      kind == Kind::Name && (word.folded.size() < kMinBareName || is_ordinary(word.folded));
  words_.push_back(std::move(word));
}

const TargetMask::Word* TargetMask::word_at(std::string_view folded, std::size_t at) const {
  const char left = before(folded, at);
  if (is_of_name(left)) return nullptr;
  for (const Word& word : words_) {
    if (!folded.substr(at).starts_with(word.folded)) continue;
    const std::size_t end = at + word.folded.size();
    const char right = behind(folded, end);
    bool found = false;
    switch (word.kind) {
      case Kind::Address:
        found = !is_of_local_part(left) &&
                (word.is_public ? ends_host(folded, end) : !is_of_host(right));
        break;
      case Kind::Domain:
        found = !is_of_host(left) && (word.is_public ? ends_host(folded, end) : !is_of_host(right));
        break;
      case Kind::Name:
        found = !is_of_name(right) && (!word.is_ordinary || is_marked(left, right));
        break;
    }
    if (found) return &word;
  }
  return nullptr;
}

std::string TargetMask::applied(std::string_view text) const {
  const std::string folded = base::lower(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Word* word = word_at(folded, at);
    const std::size_t length = word == nullptr ? 1 : word->folded.size();
    if (word == nullptr || word->shown.empty()) {
      out += text.substr(at, length);
    } else {
      out += word->shown;
    }
    at += length;
  }
  return out;
}

}  // namespace relay::mail
