// The DMARC policy record (RFC 9989 §4.7, §4.8): read, and chosen among the TXT records of a name.
// Knows nothing of where it was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/authentication.hpp"

namespace relay::auth::dmarc {

/// Ours: of a list with more report addresses than this, the rest is left out. The record itself
/// may be as long as the DNS makes it: however long, it is the policy.
inline constexpr std::size_t kMaxReportUris = 100;

enum class AlignmentMode : std::uint8_t { Relaxed, Strict };

/// psd=: is this the record of a public suffix? "u", or nothing: look above (RFC 9989 §4.7).
enum class PublicSuffix : std::uint8_t { Unsaid, Yes, No };

/// What a domain's owner asks for.
struct Record {
  mail::DmarcPolicy policy = mail::DmarcPolicy::None;    ///< p=
  std::optional<mail::DmarcPolicy> subdomain_policy;     ///< sp=
  std::optional<mail::DmarcPolicy> non_existent_policy;  ///< np=
  AlignmentMode dkim_mode = AlignmentMode::Relaxed;      ///< adkim=
  AlignmentMode spf_mode = AlignmentMode::Relaxed;       ///< aspf=
  PublicSuffix public_suffix = PublicSuffix::Unsaid;     ///< psd=
  bool testing = false;                                  ///< t=y
  std::vector<std::string> aggregate_reports;            ///< rua=: URIs, sizes cut off
  std::vector<std::string> failure_reports;              ///< ruf=: as rua=
  std::string failure_options = "0";                     ///< fo=
  /// False: p= is missing or wrong, or sp= or np= is wrong, and there is nowhere to report to. The
  /// record stands where it stands, but asks for nothing (RFC 9989 §4.10.1).
  bool applies = true;

  friend bool operator==(const Record&, const Record&) = default;
};

/// nullopt: not a DMARC record, for "v=DMARC1" is not its first tag. Everything behind is forgiving
/// as RFC 9989 §4.8 demands: unknown tags, and known ones that are malformed or stand there twice,
/// are as if absent. pct=, rf= and ri= are unknown. Linear.
std::optional<Record> parse_record(std::string_view text);

/// The record among what a name's TXT lookup brought. None, or several: nullopt (RFC 9989 §4.10).
std::optional<Record> select_record(const std::vector<std::string>& texts);

}  // namespace relay::auth::dmarc
