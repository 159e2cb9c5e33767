// The way in: a place in the gate, unless the client's network has wasted too much before.
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

  /// A client that is exempt takes a place of the total, but none of its address and network.
  std::expected<Gate::Ticket, GateRefusal> enter(const Client& client, const Limits& limits);

  /// The client of an admitted connection has changed. If refused, the ticket is unchanged.
  std::expected<void, GateRefusal> change(Gate::Ticket& ticket, const Client& client,
                                          const Limits& limits);

 private:
  bool is_wasteful(const Client& client, const Limits& limits);

  Gate& gate_;
  WasteGuard& waste_;
  ports::Clock& clock_;
};

}  // namespace relay::inbound
