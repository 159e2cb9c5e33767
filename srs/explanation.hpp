// What an operator is told of SRS addresses: families and errors in words, and all that can be said
// of one address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "srs/srs.hpp"

namespace srs {

std::string_view describe(ForwardError error);
std::string_view describe(ReverseError error);
std::string_view describe(Family family);

/// What `srs explain` says about an address.
struct Explanation {
  bool is_srs = false;
  int hop = 0;
  std::optional<Family> family;
  std::optional<int> age_days;
  std::string key_id;
  std::string verdict;  ///< "valid", "forged", "expired", …
  std::string recovered;
  std::string reason;  ///< also says when a classic tag is right, but its key accepts none
};

Explanation explain(const Rewriter& rewriter, const Address& address, std::int64_t now_unix);

}  // namespace srs
