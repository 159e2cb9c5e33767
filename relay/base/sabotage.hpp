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
  DoneBeforeDot,          ///< delivery recorded before it was tried
  DsnOutsideTransaction,  ///< the failure first, its DSN later
  ClaimKept,              ///< a copy once tried is never given back
  LaunderingAllowed,      ///< unproven mail may leave under names aligned with its author's
  SignatureBroken,        ///< one bit of each signature of ours is wrong
  ContentUnsynced,        ///< the commit that speaks of big content does not wait for it
  SlotReusedEarly,        ///< big content is overwritten before it is given up for good
  ResetForgotten,         ///< a transaction that follows two failed ones begins without RSET
  HostsHidden,            ///< a host that says 4xx is asked again and again, and no other one
  FallbackFinal,          ///< what is refused in the clear, because TLS failed, is a bounce
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
