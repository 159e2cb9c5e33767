// What a DSN says about one shown address: as text for people, and as fields for programs (RFC 3464
// §2.3).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "relay/mail/dsn_group.hpp"

namespace relay::mail {

/// The sections of a DSN's text, in their order. Each reports all addresses with the same result.
enum class DsnSection {
  Failed,
  FailedInPart,  ///< not delivered to one of several mailboxes behind the address
  Delayed,
  DelayedInPart,
};

inline constexpr std::size_t kDsnSections = 4;

struct DsnEntry {
  DsnSection section = DsnSection::Failed;
  std::string human;                          ///< its lines in the list
  std::string fields;                         ///< its group of fields, beginning with an empty line
  std::optional<base::WallTime> retry_until;  ///< of a delayed one
  std::size_t failed = 0;                     ///< number of copies
  std::size_t delayed = 0;
};

DsnEntry entry_of(const DsnGroup& group, const DsnRequest& request);

}  // namespace relay::mail
