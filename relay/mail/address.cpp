#include "relay/mail/address.hpp"

#include <algorithm>
#include <memory>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <idn2.h>

#include "relay/base/text.hpp"
#include "relay/mail/folding.hpp"

namespace relay::mail {

namespace {

/// What a quoted string may hold after decoding: printable ASCII and space (qtextSMTP and
/// quoted-pairSMTP of RFC 5321 §4.1.2), and UTF-8.
bool is_quotable(char c) { return (c >= ' ' && c <= '~') || base::is_eight_bit(c); }

/// A local part that we accept without quotes. Wider than Dot-string (RFC 5321 §4.1.2): addresses
/// such as "ann..b" and "ann." exist in large numbers.
bool is_bare_local_part(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c == '.' || is_atext(c); });
}

bool is_dot_string(std::string_view text) {
  return is_bare_local_part(text) && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

std::expected<std::string, AddressError> to_a_labels(std::string_view text) {
  char* raw = nullptr;
  const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
  const std::string input(text);
  const int rc = idn2_to_ascii_8z(input.c_str(), &raw, flags);
  const std::unique_ptr<char, void (*)(void*)> owned(raw, idn2_free);
  if (rc != IDN2_OK) return std::unexpected(AddressError::BadDomain);
  return std::string(raw);
}

bool is_name_octet(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
}

bool is_domain_name(std::string_view text) {
  std::size_t label = 0;
  char before = '.';
  for (const char c : text) {
    if (c == '.') {
      if (label == 0 || before == '-') return false;
      label = 0;
    } else {
      if (!is_name_octet(c) || (label == 0 && c == '-') || ++label > 63) return false;
    }
    before = c;
  }
  return label > 0 && before != '-';
}

/// "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3).
bool is_address_literal(std::string_view text) {
  if (text.size() < 3 || text.back() != ']') return false;
  std::string inner(text.substr(1, text.size() - 2));
  const bool v6 = base::starts_with_ignoring_case(inner, "IPv6:");
  if (v6) inner.erase(0, 5);
  // The system's parser stops at a NUL, and accepts a zone after '%'.
  constexpr std::string_view kOctets = "0123456789ABCDEFabcdef:.";
  if (inner.find_first_not_of(kOctets) != std::string::npos) return false;
  boost::system::error_code error;
  if (v6) {
    boost::asio::ip::make_address_v6(inner, error);
  } else {
    boost::asio::ip::make_address_v4(inner, error);
  }
  return !error;
}

/// Removes the dot after the last label, which names the root of the DNS: the domain is the same.
std::string_view without_root(std::string_view domain) {
  return domain.ends_with('.') ? domain.substr(0, domain.size() - 1) : domain;
}

/// Length in octets of the source route "@a.example,@b.example:" in front of an address; 0 without
/// one (RFC 5321 §4.1.2, A-d-l).
std::expected<std::size_t, AddressError> source_route_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] == '@') {
    const std::size_t begin = at + 1;
    const bool literal = text.substr(begin).starts_with('[');
    const std::size_t end = text.find_first_of(",:", literal ? text.find(']', begin) : begin);
    if (end == std::string_view::npos ||
        !Domain::parse(without_root(text.substr(begin, end - begin)))) {
      return std::unexpected(AddressError::SourceRoute);
    }
    at = end + 1;
    if (text[end] == ':') return at;
  }
  if (at > 0) return std::unexpected(AddressError::SourceRoute);  // ends in a comma
  return at;
}

/// Reads the local part of a mailbox: a quoted string, or everything before the "@". Returns how
/// many octets it used; `decoded` receives the local part without quotes and backslashes.
std::expected<std::size_t, AddressError> read_local_part(std::string_view text,
                                                         std::string& decoded) {
  if (text.starts_with('"')) {
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\') {
        if (++i == text.size()) return std::unexpected(AddressError::Unterminated);
        if (base::is_eight_bit(text[i])) return std::unexpected(AddressError::BadLocalPart);
      }
      if (!is_quotable(text[i])) return std::unexpected(AddressError::BadLocalPart);
      decoded += text[i];
    }
    if (i >= text.size()) return std::unexpected(AddressError::Unterminated);
    return i + 1;
  }
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return std::unexpected(AddressError::BadDomain);
  if (!is_bare_local_part(text.substr(0, at))) return std::unexpected(AddressError::BadLocalPart);
  decoded = text.substr(0, at);
  return at;
}

}  // namespace

bool is_atext(char c) {
  constexpr std::string_view kSpecials = "!#$%&'*+-/=?^_`{|}~";
  return base::is_alpha(c) || base::is_digit(c) || base::is_eight_bit(c) ||
         kSpecials.find(c) != std::string_view::npos;
}

std::string_view describe(AddressError error) {
  switch (error) {
    case AddressError::Empty:
      return "empty address";
    case AddressError::TooLong:
      return "address too long";
    case AddressError::BadLocalPart:
      return "malformed local part";
    case AddressError::BadDomain:
      return "malformed domain";
    case AddressError::Unterminated:
      return "missing closing bracket or quote";
    case AddressError::SourceRoute:
      return "malformed source route";
    case AddressError::NotUtf8:
      return "not valid UTF-8";
    case AddressError::TrailingText:
      return "text after the address";
  }
  return "malformed address";
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char lead = at(i);
    std::size_t trail = 0;
    std::uint32_t code = lead;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
      trail = 1;
      code = lead & 0x1FU;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      trail = 2;
      code = lead & 0x0FU;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      trail = 3;
      code = lead & 0x07U;
    } else {
      return false;
    }
    if (i + trail >= text.size()) return false;
    for (std::size_t k = 1; k <= trail; ++k) {
      if ((at(i + k) & 0xC0U) != 0x80U) return false;
      code = (code << 6) | (at(i + k) & 0x3FU);
    }
    const bool overlong = (trail == 2 && code < 0x800) || (trail == 3 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += trail + 1;
  }
  return true;
}

Domain::Domain(std::string text) : text_(std::move(text)), folded_(base::lower(text_)) {}

std::expected<Domain, AddressError> Domain::parse(std::string_view text) {
  if (text.empty()) return std::unexpected(AddressError::BadDomain);
  if (text.size() > kMaxDomainOctets) return std::unexpected(AddressError::TooLong);
  if (text.front() == '[') {
    if (!is_address_literal(text)) return std::unexpected(AddressError::BadDomain);
    return Domain(std::string(text));
  }
  std::string ascii(text);
  if (std::ranges::any_of(text, base::is_eight_bit)) {
    if (!is_valid_utf8(text)) return std::unexpected(AddressError::NotUtf8);
    auto converted = to_a_labels(text);
    if (!converted) return std::unexpected(converted.error());
    ascii = std::move(*converted);
    if (ascii.size() > kMaxDomainOctets) return std::unexpected(AddressError::TooLong);
  }
  if (!is_domain_name(ascii)) return std::unexpected(AddressError::BadDomain);
  return Domain(std::move(ascii));
}

std::expected<Mailbox, AddressError> Mailbox::make(std::string_view local_part, Domain domain) {
  if (local_part.empty()) return std::unexpected(AddressError::BadLocalPart);
  if (!std::ranges::all_of(local_part, is_quotable)) {
    return std::unexpected(AddressError::BadLocalPart);
  }
  if (!is_valid_utf8(local_part)) return std::unexpected(AddressError::NotUtf8);
  Mailbox mailbox(std::string(local_part), std::move(domain));
  // Measures the printed form: a domain grows when its labels become ASCII (RFC 5890 §2.3.2.1).
  const std::string quoted = mailbox.quoted_local_part();
  if (quoted.size() + 1 + mailbox.domain_.text().size() > kMaxPathOctets - 2) {
    return std::unexpected(AddressError::TooLong);
  }
  return mailbox;
}

std::expected<Mailbox, AddressError> Mailbox::parse(std::string_view text) {
  const auto route = source_route_length(text);
  if (!route) return std::unexpected(route.error());
  text.remove_prefix(*route);
  if (text.empty()) {
    return std::unexpected(*route > 0 ? AddressError::SourceRoute : AddressError::Empty);
  }
  if (text.size() > kMaxPathOctets - 2) return std::unexpected(AddressError::TooLong);
  std::string local_part;
  const auto used = read_local_part(text, local_part);
  if (!used) return std::unexpected(used.error());
  if (*used >= text.size() || text[*used] != '@') return std::unexpected(AddressError::BadDomain);
  auto domain = Domain::parse(without_root(text.substr(*used + 1)));
  if (!domain) return std::unexpected(domain.error());
  // The grammar allows `""@example.org`, but it names nobody; make() refuses it.
  return make(local_part, std::move(*domain));
}

std::string Mailbox::quoted_local_part() const {
  if (is_dot_string(local_part_)) return local_part_;
  std::string quoted = "\"";
  for (const char c : local_part_) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string Mailbox::to_string() const { return quoted_local_part() + '@' + domain_.text(); }

std::string Mailbox::folded() const {
  return folded_local_part(local_part_) + '@' + domain_.folded();
}

bool Mailbox::is_utf8() const { return std::ranges::any_of(local_part_, base::is_eight_bit); }

std::string ReversePath::to_string() const {
  return mailbox_ ? mailbox_->to_string() : std::string();
}

std::string ReversePath::folded() const { return mailbox_ ? mailbox_->folded() : std::string(); }

std::string ForwardPath::to_string() const {
  return mailbox_ ? mailbox_->to_string() : std::string("postmaster");
}

std::string ForwardPath::folded() const { return mailbox_ ? mailbox_->folded() : to_string(); }

namespace {

/// The text between the brackets of a path (RFC 5321 §4.1.2). Its length is not checked here but in
/// Mailbox::parse(), so that a source route, which is skipped, does not count.
std::expected<std::string_view, AddressError> inside_brackets(std::string_view text) {
  if (!text.starts_with('<') || !text.ends_with('>') || text.size() < 2) {
    return std::unexpected(AddressError::Unterminated);
  }
  return text.substr(1, text.size() - 2);
}

}  // namespace

std::expected<ReversePath, AddressError> parse_reverse_path(std::string_view text) {
  const auto inner = inside_brackets(text);
  if (!inner) return std::unexpected(inner.error());
  if (inner->empty()) return ReversePath::null();
  auto mailbox = Mailbox::parse(*inner);
  if (!mailbox) return std::unexpected(mailbox.error());
  return ReversePath(std::move(*mailbox));
}

std::expected<ForwardPath, AddressError> parse_forward_path(std::string_view text) {
  const auto inner = inside_brackets(text);
  if (!inner) return std::unexpected(inner.error());
  if (base::equal_ignoring_case(*inner, "postmaster")) return ForwardPath::bare_postmaster();
  auto mailbox = Mailbox::parse(*inner);
  if (!mailbox) return std::unexpected(mailbox.error());
  return ForwardPath(std::move(*mailbox));
}

std::string without_tag(const std::string& path, char tag) {
  const std::size_t at = path.rfind('@');
  if (tag == '\0' || at == std::string::npos) return path;
  const std::size_t begin = path.find(tag, 1);
  if (begin == std::string::npos || begin > at) return path;
  return path.substr(0, begin) + path.substr(at);
}

}  // namespace relay::mail
