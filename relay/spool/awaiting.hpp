// Copies that await the consent of their targets. All queries use the index that contains only
// those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/ports/awaiting_copy.hpp"
#include "relay/ports/new_message.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Awaiting {
 public:
  Awaiting(Connection& connection, Tally& tally);

  /// The number of copies awaiting one of these addresses; the highest of them.
  std::uint64_t most(const std::vector<std::string>& addresses);

  /// Whether fewer than max_awaiting stored copies await each address that copies of the message
  /// would await. Copies of the message itself are not counted.
  bool fits(const ports::NewMessage& message);

  std::vector<ports::AwaitingCopy> list(const std::optional<ports::AwaitingCopy>& after,
                                        std::size_t limit);

  /// Inside a transaction. Returns how many copies were still waiting for consent.
  std::uint64_t release(const std::vector<ports::AwaitingCopy>& copies, base::WallTime now);

 private:
  Connection& connection_;
  Tally& tally_;
  Statement count_, list_, release_;
};

}  // namespace relay::spool
