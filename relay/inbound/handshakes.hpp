// Limits TLS handshakes, which cost us far more than the client (guarantee "Handshakes are
// bounded"): how many run at once in total and for one network, and how fast one client may begin
// them. A place is held from the first octet of the handshake on; waiting for that octet is free. A
// handshake that is not over after FairShare::kPatience gives up its place when another one needs
// it.
#pragma once

#include <functional>
#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/fair_rate.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/policy.hpp"

namespace relay::inbound {

/// Thread-safe; bounded. An empty origin takes a place of the total and is counted nowhere else.
class Handshakes {
 public:
  /// A network may hold 1/kNetworkPart of all places.
  static constexpr std::uint32_t kNetworkPart = 4;

  explicit Handshakes(ports::Clock& clock) : clock_(clock), places_(clock) {}

  /// Asked at STARTTLS, and each call counts. False: the client asks too fast, or there is no
  /// place, neither free nor yielded.
  bool may_begin(const base::Origin& origin, const Limits& limits);

  /// A place, held while the handshake runs; nullopt: none is free.
  std::optional<FairShare::Holding> enter(const base::Origin& origin, const Limits& limits);

 private:
  ports::Clock& clock_;
  FairShare places_;
  ClientRate beginnings_;
};

}  // namespace relay::inbound
