// The recipients of a DSN as its reader may know them: each shown address once, with the gravest of
// what there is to say about it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "relay/mail/dsn.hpp"

namespace relay::mail {

/// All copies behind one shown address.
struct DsnGroup {
  DsnRecipient gravest;
  std::optional<base::WallTime> retry_until;  ///< the earliest of its delayed copies
  std::size_t failed = 0;                     ///< copies
  std::size_t delayed = 0;
};

/// Whether `a` is to be told rather than `b` where only one can be. In this order:
/// 1. refused for good, before returned by the operator, before given up because of age, before
///    delayed;
/// 2. the later attempt;
/// 3. neither: the one that stands first is told.
bool is_graver(const DsnRecipient& a, const DsnRecipient& b);

/// By alias where targets are hidden, else by alias and target; without case. In the order in which
/// they first appear.
std::vector<DsnGroup> grouped(const std::vector<DsnRecipient>& recipients, bool hide_targets);

}  // namespace relay::mail
