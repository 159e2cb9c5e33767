// [risk]: how doubtful mail leaves, apart from other mail, whose reputation it would spoil.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/rate_table.hpp"
#include "relay/forward/target_wishes.hpp"
#include "relay/mail/address.hpp"

namespace relay::forward {

/// How much doubtful mail leaves, for each destination.
struct RiskPace {
  std::uint32_t connections = 2;
  base::Rate rate{.count = 600, .span = std::chrono::seconds{60}};  ///< copies

  friend bool operator==(const RiskPace&, const RiskPace&) = default;
};

struct RiskPool : RiskPace {
  std::vector<std::string> source;  ///< textual IPs, at most one per family; empty: as all mail
  /// Domain of SRS addresses for mail whose author is not proven; absent: that of [srs].
  std::optional<mail::Domain> srs_domain = {};
  KeepOrSrs sender = KeepOrSrs::Srs;     ///< for mail whose SPF failed on arrival
  std::string tag = "X-Spam-Flag: YES";  ///< header field, without CRLF
};

}  // namespace relay::forward
