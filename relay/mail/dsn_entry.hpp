// What a DSN says about one shown address: for people, and for programs (RFC 3464 §2.3).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "relay/mail/dsn_group.hpp"

namespace relay::mail {

/// What is said about addresses in one breath. In the order in which a DSN lists them.
enum class DsnSection {
  Failed,
  FailedInPart,  ///< one of several mailboxes behind the address
  Delayed,
  DelayedInPart,
};

inline constexpr std::size_t kDsnSections = 4;

struct DsnEntry {
  DsnSection section = DsnSection::Failed;
  std::string human;                          ///< its lines of the list
  std::string fields;                         ///< its group of fields, begun by an empty line
  std::optional<base::WallTime> retry_until;  ///< of a delayed one
  std::size_t failed = 0;                     ///< copies
  std::size_t delayed = 0;
};

DsnEntry entry_of(const DsnGroup& group, const DsnRequest& request);

}  // namespace relay::mail
