// Promises broken on purpose: decorators of ports, put between the parts of a program to show that
// its tests notice. The parts themselves know nothing of it, and the program that is shipped links
// nothing of this folder.
//
// RELAY_SABOTAGE names the promise to break. Each program breaks those whose ports it has:
//   srs-relay-controls  (relay_controls.cpp) the relay with another main()
//   simulate            (tests/simulation)   the delivery side
//   power_cut           (tests/powercut)     the disk below the queue, see lying_disk.hpp there
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/ports/signer.hpp"
#include "relay/ports/stream.hpp"

namespace relay::controls {

inline constexpr std::string_view kNoSabotage = "none";

/// What RELAY_SABOTAGE names; "none" when it is not set.
std::string_view sabotage_asked_for();

// Each makes a decorator of `below`, which must outlive it; null: this sabotage breaks nothing at
// that port.

/// early-reply: a message is said to be stored 20 ms before it is.
/// done-before-dot: a message is recorded as delivered, in `deliveries`, together with its commit.
std::unique_ptr<ports::IntakeQueue> sabotaged(std::string_view sabotage, ports::IntakeQueue& below,
                                              ports::DeliveryQueue& deliveries);

/// done-before-dot: copies are recorded as delivered when they are loaded to be tried.
/// dsn-outside-transaction: a failure is recorded without the debt of its DSN.
/// claim-kept: what this process has put off is never due for it again.
/// fallback-final: a refusal in the clear, after TLS failed, is recorded as final.
std::unique_ptr<ports::DeliveryQueue> sabotaged(std::string_view sabotage,
                                                ports::DeliveryQueue& below);

/// reset-forgotten: the server never hears RSET, and the client hears that all is well.
std::unique_ptr<ports::Dialer> sabotaged(std::string_view sabotage, ports::Dialer& below);

/// hosts-hidden: a domain has one MX host, whatever it publishes.
std::unique_ptr<ports::Resolver> sabotaged(std::string_view sabotage, ports::Resolver& below);

/// laundering-allowed: every message is signed with a domain aligned with its author, as our own
/// mail is.
std::unique_ptr<ports::Signer> sabotaged(std::string_view sabotage, ports::Signer& below);

/// What can be broken at the ports of the delivery side alone.
inline constexpr std::array<std::string_view, 6> kDeliverySabotages = {
    "done-before-dot", "dsn-outside-transaction", "claim-kept",
    "fallback-final",  "reset-forgotten",         "hosts-hidden"};

}  // namespace relay::controls
