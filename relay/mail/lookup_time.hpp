// How long the DNS may take to prove a message.
#pragma once

#include <chrono>

namespace relay::mail {

/// For all lookups of one message together ([auth] timeout); RFC 7208 §4.6.4 asks for at least 20
/// seconds.
inline constexpr std::chrono::seconds kLookupTime{20};

}  // namespace relay::mail
