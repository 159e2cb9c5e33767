// Admission of sessions: limits how many are open in total, per client, per network and per wider
// network, and how fast one client opens new ones. Thread-safe. Knows only addresses.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <string_view>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/policy.hpp"

namespace relay::inbound {

enum class GateRefusal { Draining, Full, ClientFull, NetworkFull, TooFast, Wasteful };

std::string_view describe(GateRefusal refusal);  ///< for the 421

class Gate {
 public:
  /// A place for one session; destroying it gives it back. Movable.
  class Ticket {
   public:
   private:
    friend class Gate;

    explicit Ticket(FairShare::Holding place) : place_(std::move(place)) {}

    FairShare::Holding place_;
  };

  explicit Gate(ports::Clock& clock) : clock_(clock), places_(clock) {}

  /// An empty origin takes a place of the total and is counted nowhere else.
  std::expected<Ticket, GateRefusal> enter(const base::Origin& origin, const Limits& limits);

  /// The client of the session has changed. On error the ticket is unchanged.
  std::expected<void, GateRefusal> move(Ticket& ticket, const base::Origin& origin,
                                        const Limits& limits);

  /// Admits nobody from here on; open sessions finish their message.
  void close() { draining_.store(true, std::memory_order_relaxed); }

  bool draining() const { return draining_.load(std::memory_order_relaxed); }

  std::uint32_t inside() const { return static_cast<std::uint32_t>(places_.held()); }

  /// So many sessions are open that clients get only the short timeouts.
  bool overloaded(const Limits& limits) const;

 private:
  bool may_come(const base::Origin& origin, const Limits& limits);

  ports::Clock& clock_;
  FairShare places_;
  base::RateTable newcomers_;  ///< by client
  std::atomic<bool> draining_{false};
};

}  // namespace relay::inbound
