// Copies that are held until their targets say that they want mail from here.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// A copy that waits for the consent of its target.
struct AwaitingCopy {
  std::string awaits;  ///< mail::Route::awaits
  mail::CopyId copy;
  std::string target;  ///< as text
};

/// Implementations pass tests/spool/consent_contract.
class ConsentQueue {
 public:
  virtual ~ConsentQueue() = default;

  /// Copies that wait for the consent of one of these addresses: of the one with the most.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> awaiting(
      std::vector<std::string> addresses) = 0;

  /// Copies that wait for anybody's consent, behind `after`, by (awaits, id, index), at most limit.
  virtual base::Task<std::expected<std::vector<AwaitingCopy>, SpoolError>> awaiting_copies(
      std::optional<AwaitingCopy> after, std::size_t limit) = 0;

  /// Lets those of the copies go, due at once, that still wait for consent; returns how many.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> release(
      std::vector<AwaitingCopy> copies) = 0;
};

}  // namespace relay::ports
