// The part of a DSN that is written for people.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "relay/mail/dsn_entry.hpp"

namespace relay::mail {

/// Upper bound of the text around the entries, in octets.
inline constexpr std::size_t kMaxHumanFrame = 4096;

/// `entries`: those of this DSN, each section together; `part` counts from 1.
std::string human_part(std::span<const DsnEntry> entries, const DsnRequest& request,
                       std::size_t part, std::size_t parts);

}  // namespace relay::mail
