// The recipients of a DSN as its reader may know them: each shown address once, with the gravest
// result among its copies.
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
  std::size_t failed = 0;                     ///< number of copies
  std::size_t delayed = 0;
};

/// Whether the DSN reports `a` rather than `b` where it can report only one. In this order:
/// 1. refused for good, before returned by the operator, before given up because of age, before
///    delayed;
/// 2. the later attempt;
/// 3. otherwise neither: the DSN reports the one that comes first in the list.
bool is_graver(const DsnRecipient& a, const DsnRecipient& b);

/// Groups by alias where targets are hidden, else by alias and target; case does not matter. Groups
/// are in the order in which they first appear.
std::vector<DsnGroup> grouped(const std::vector<DsnRecipient>& recipients, bool hide_targets);

}  // namespace relay::mail
