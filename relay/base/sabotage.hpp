// Negative controls: places where a promise can be broken on purpose, to show that the tests
// notice. They exist only in builds with RELAY_CONTROLS; in all others sabotaged() is the constant
// false, and the code that depends on it is not compiled in.
#pragma once

#include "relay/base/controls.hpp"

#ifdef RELAY_CONTROLS
#include <cstdlib>
#include <string_view>
#endif

namespace relay::base {

enum class Sabotage {
  SynchronousOff,         ///< commits do not wait for the disk
  EarlyReply,             ///< 250 before the commit
  DoneBeforeDot,          ///< a delivery is recorded before it was tried
  DsnOutsideTransaction,  ///< the failure is committed first, its DSN later
  ClaimKept,              ///< the claim on a copy is not given back after an attempt
  LaunderingAllowed,      ///< unproven mail may leave under names aligned with its author's
  SignatureBroken,        ///< one bit of each signature of ours is wrong
  ContentUnsynced,        ///< the commit that refers to big content does not wait for it
  SlotReusedEarly,        ///< big content is overwritten before it is given up for good
  ResetForgotten,         ///< a transaction after two failed ones begins without RSET
  HostsHidden,            ///< after 4xx the same host is tried again and again, never another
  FallbackFinal,          ///< a refusal without TLS, after TLS failed, becomes a bounce
};

#ifdef RELAY_CONTROLS

/// True when the environment names this sabotage, for example RELAY_SABOTAGE=early-reply.
inline bool sabotaged(Sabotage what) {
  constexpr std::string_view kNames[] = {
      "synchronous-off",   "early-reply",        "done-before-dot",  "dsn-outside-transaction",
      "claim-kept",        "laundering-allowed", "signature-broken", "content-unsynced",
      "slot-reused-early", "reset-forgotten",    "hosts-hidden",     "fallback-final"};
  const char* named = std::getenv("RELAY_SABOTAGE");
  return named != nullptr && kNames[static_cast<int>(what)] == named;
}

#else

constexpr bool sabotaged(Sabotage /*what*/) { return false; }

#endif

}  // namespace relay::base
