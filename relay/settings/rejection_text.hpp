#pragma once

#include <optional>
#include <string_view>

#include "relay/forward/rejection.hpp"

namespace relay::settings {

inline constexpr std::string_view kRejectionExample = "550 5.1.6 moved to new@example.org";

/// Parses reply code, enhanced status and text, as in kRejectionExample; nullopt when it is no
/// refusal.
std::optional<forward::Rejection> parse_rejection(std::string_view text);

}  // namespace relay::settings
