// [[gateway]]: mail systems in front of this one.
#pragma once

#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/base/source_place.hpp"
#include "relay/forward/rejection.hpp"

namespace relay::settings {

/// A mail system in front of this one, trusted to say who its clients are.
struct Gateway {
  base::Networks from;
  bool reads_received = false;     ///< client = "received"
  std::vector<std::string> names;  ///< of its hosts, as in "by" of Received; folded
  std::string results;             ///< authserv-id whose results are trusted, folded; "": none
  forward::LateRefusal refusals = forward::LateRefusal::Refuse;
  base::SourcePlace at = {};
};

}  // namespace relay::settings
