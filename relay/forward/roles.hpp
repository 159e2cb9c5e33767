// Names under which the people who run this host are reached: postmaster at every domain of ours
// (RFC 5321 §4.5.1), abuse at the domains that our mail seems to come from (RFC 2142 §4), and
// MAILER-DAEMON at the host name, which our own notices have in From.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace relay::forward {

/// Role local parts, folded, at a domain of ours.
inline std::span<const std::string_view> roles_at(bool is_host_name, bool is_srs_domain) {
  static constexpr std::array<std::string_view, 3> kRoles{"postmaster", "abuse", "mailer-daemon"};
  return std::span(kRoles).first(is_host_name ? 3 : is_srs_domain ? 2 : 1);
}

}  // namespace relay::forward
