// Parses DMARC policy records (RFC 9989 §4.7, §4.8) and selects one among the TXT records of a
// name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/authentication.hpp"

namespace relay::auth::dmarc {

/// Our limit: further addresses of a report list are ignored. The record itself may be as long as
/// the DNS allows.
inline constexpr std::size_t kMaxReportUris = 100;

enum class AlignmentMode : std::uint8_t { Relaxed, Strict };

/// psd=: whether the domain is a public suffix. Unsaid ("u" or absent): look above (RFC 9989 §4.7).
enum class PublicSuffix : std::uint8_t { Unsaid, Yes, No };

/// What the owner of a domain asks for.
struct Record {
  mail::DmarcPolicy policy = mail::DmarcPolicy::None;    ///< p=
  std::optional<mail::DmarcPolicy> subdomain_policy;     ///< sp=
  std::optional<mail::DmarcPolicy> non_existent_policy;  ///< np=
  AlignmentMode dkim_mode = AlignmentMode::Relaxed;      ///< adkim=
  AlignmentMode spf_mode = AlignmentMode::Relaxed;       ///< aspf=
  PublicSuffix public_suffix = PublicSuffix::Unsaid;     ///< psd=
  bool testing = false;                                  ///< t=y
  bool is_for_none = false;                              ///< pct=0 (RFC 7489 §6.3)
  std::vector<std::string> aggregate_reports;            ///< rua=: URIs, without size limits
  std::vector<std::string> failure_reports;              ///< ruf=: as rua=
  std::string failure_options = "0";                     ///< fo=
  /// False: p= is missing or invalid, or sp= or np= is invalid, and there is no rua=. The record is
  /// still found at its domain, but asks for nothing (RFC 9989 §4.10.1).
  bool applies = true;

  friend bool operator==(const Record&, const Record&) = default;
};

/// nullopt: not a DMARC record, because "v=DMARC1" is not its first tag. Everything after it is
/// parsed leniently (RFC 9989 §4.8): unknown tags are ignored, and known tags that are malformed or
/// repeated are treated as absent. rf=, ri= and values of pct= other than 0 are ignored. Linear.
std::optional<Record> parse_record(std::string_view text);

/// The DMARC record among the TXT records of a name; nullopt: none, or several (RFC 9989 §4.10).
std::optional<Record> select_record(const std::vector<std::string>& texts);

}  // namespace relay::auth::dmarc
