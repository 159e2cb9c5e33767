// The way into the house: a place in the gate, for who has not wasted too much of ours before.
#pragma once

#include <expected>

#include "relay/inbound/client.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/ports/clock.hpp"

namespace relay::inbound {

/// Thread-safe.
class Entrance {
 public:
  Entrance(Gate& gate, WasteGuard& waste, ports::Clock& clock)
      : gate_(gate), waste_(waste), clock_(clock) {}

  /// `client.is_exempt`: it takes one of all places, and none of those of its address and network.
  std::expected<Gate::Ticket, GateRefusal> enter(const Client& client, const Limits& limits);

  /// For a connection that is inside already, under the name of another client. Refused: the ticket
  /// is as it was.
  std::expected<void, GateRefusal> change(Gate::Ticket& ticket, const Client& client,
                                          const Limits& limits);

 private:
  bool is_wasteful(const Client& client, const Limits& limits);

  Gate& gate_;
  WasteGuard& waste_;
  ports::Clock& clock_;
};

}  // namespace relay::inbound
