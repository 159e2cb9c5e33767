// Addresses as typed values (RFC 5321 §4.1.2, RFC 6531 §3.3). A value of these types is valid by
// construction: no CR, LF, NUL or unbalanced quote can be in it (guarantee "An address holds no
// command").
//
// Parsing accepts more than the grammar where the meaning is clear: dots at the ends of a local
// part or next to each other, a dot after the domain, a source route. Printing always follows the
// grammar.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace relay::mail {

/// Limit for local parts that we make: other hosts need not accept longer ones (RFC 5321
/// §4.5.3.1.1). Local parts made by others are limited by the length of the path only: longer ones
/// are in use, and §4.5.3.1 asks for as few limits as possible.
inline constexpr std::size_t kMaxLocalPartOctets = 64;
inline constexpr std::size_t kMaxDomainOctets = 255;  // RFC 5321 §4.5.3.1.2
inline constexpr std::size_t kMaxPathOctets = 256;    // RFC 5321 §4.5.3.1.3, brackets included

/// atext of RFC 5321 §4.1.2 with the UTF-8 extension of RFC 6531 §3.3.
bool is_atext(char c);

enum class AddressError {
  Empty,
  TooLong,  ///< domain or path over its limit
  BadLocalPart,
  BadDomain,
  Unterminated,  ///< missing bracket or quote
  SourceRoute,   ///< "@a,@b:" that does not consist of domains, or has no address behind it
  NotUtf8,       ///< octets above 127 that are not UTF-8
  TrailingText,
};

std::string_view describe(AddressError error);

/// A domain name or an address literal. Keeps the spelling it came in; compares without case.
/// U-labels are converted to A-labels on parsing (IDNA 2008), so text() is always ASCII.
class Domain {
 public:
  /// Accepts labels of 1-63 letters, digits, hyphens and underscores (not legal, but in use),
  /// separated by dots; or an address literal in brackets. A trailing dot is refused.
  static std::expected<Domain, AddressError> parse(std::string_view text);

  const std::string& text() const { return text_; }  ///< as written (A-labels)

  const std::string& folded() const { return folded_; }  ///< lower case: for comparing and lookup

  bool is_literal() const { return text_.starts_with('['); }

  bool is_dotted() const { return !is_literal() && text_.find('.') != std::string::npos; }

  friend bool operator==(const Domain& a, const Domain& b) { return a.folded_ == b.folded_; }

  friend auto operator<=>(const Domain& a, const Domain& b) { return a.folded_ <=> b.folded_; }

 private:
  explicit Domain(std::string text);

  std::string text_;
  std::string folded_;
};

/// local-part@domain. The local part is stored decoded: `"a b"` as `a b`, `"ann"` as `ann`.
class Mailbox {
 public:
  /// `text`: an address without brackets. Octets above 127 must be UTF-8; in the local part they
  /// set is_utf8(). The caller checks whether SMTPUTF8 was given. A source route is skipped (RFC
  /// 5321 §3.3, Appendix C).
  static std::expected<Mailbox, AddressError> parse(std::string_view text);

  /// From a decoded local part: printable ASCII and space, no tab, or UTF-8.
  static std::expected<Mailbox, AddressError> make(std::string_view local_part, Domain domain);

  const std::string& local_part() const { return local_part_; }  ///< decoded

  const Domain& domain() const { return domain_; }

  /// As it goes on the wire: quoted only where the grammar requires it.
  std::string to_string() const;
  std::string quoted_local_part() const;

  /// Both parts folded, the local part decoded: for comparing and lookup.
  std::string folded() const;

  bool is_utf8() const;  ///< the local part has octets above 127, so SMTPUTF8 is needed on the wire

  friend bool operator==(const Mailbox&, const Mailbox&) = default;

 private:
  Mailbox(std::string local_part, Domain domain)
      : local_part_(std::move(local_part)), domain_(std::move(domain)) {}

  std::string local_part_;
  Domain domain_;
};

/// Where bounces go: a mailbox, or null ("<>") for mail to which no bounce may be sent.
class ReversePath {
 public:
  ReversePath() = default;  ///< null

  explicit ReversePath(Mailbox mailbox) : mailbox_(std::move(mailbox)) {}

  static ReversePath null() { return {}; }

  bool is_null() const { return !mailbox_; }

  const Mailbox& mailbox() const { return *mailbox_; }  ///< precondition: not null

  std::string to_string() const;  ///< without brackets; "" when null
  std::string folded() const;     ///< for comparing; "" when null

  friend bool operator==(const ReversePath&, const ReversePath&) = default;

 private:
  std::optional<Mailbox> mailbox_;
};

/// Parses the path argument of MAIL FROM, brackets included; "<>" is null (RFC 5321 §4.1.2).
std::expected<ReversePath, AddressError> parse_reverse_path(std::string_view text);

/// A recipient. "<postmaster>" without a domain is legal (RFC 5321 §4.5.1).
class ForwardPath {
 public:
  explicit ForwardPath(Mailbox mailbox) : mailbox_(std::move(mailbox)) {}

  static ForwardPath bare_postmaster() { return ForwardPath(); }

  bool is_bare_postmaster() const { return !mailbox_; }

  const Mailbox& mailbox() const { return *mailbox_; }  ///< precondition: not bare postmaster

  std::string to_string() const;  ///< without brackets
  std::string folded() const;     ///< for comparing

 private:
  ForwardPath() = default;

  std::optional<Mailbox> mailbox_;
};

/// Parses the path argument of RCPT TO, brackets included.
std::expected<ForwardPath, AddressError> parse_forward_path(std::string_view text);

/// "info@example.org" for "info+x@example.org" with the tag '+'. `tag` begins a sub-address; 0: no
/// sub-addresses, the path stays as it is.
std::string without_tag(const std::string& path, char tag);

bool is_valid_utf8(std::string_view text);

}  // namespace relay::mail
