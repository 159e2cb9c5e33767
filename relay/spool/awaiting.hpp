// Copies that wait for the consent of their targets. All that is asked goes through the index that
// holds them alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/ports/consent_queue.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Awaiting {
 public:
  Awaiting(Connection& connection, Tally& tally);

  /// Copies that wait for one of the addresses: of the one with the most.
  std::uint64_t most(const std::vector<std::string>& addresses);

  /// Whether as many may wait as the message brings.
  bool fits(const ports::NewMessage& message);

  std::vector<ports::AwaitingCopy> list(const std::optional<ports::AwaitingCopy>& after,
                                        std::size_t limit);

  /// Inside a transaction. How many still waited.
  std::uint64_t release(const std::vector<ports::AwaitingCopy>& copies, base::WallTime now);

 private:
  Connection& connection_;
  Tally& tally_;
  Statement count_, list_, release_;
};

}  // namespace relay::spool
