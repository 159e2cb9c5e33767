// Admission of sessions: limits how many are open in total, per client, per network and per wider
// network, and how fast one client opens new ones. When there is no place left, a session that
// makes no progress gives up its own. Thread-safe. Knows only addresses.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <string_view>

#include "relay/base/origin.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/fair_rate.hpp"
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
    /// `yield` is called on `executor` when the place has been taken away: the session must end.
    /// That happens only while it waits for its client and makes no progress
    /// (FairShare::kPatience).
    void may_yield(const base::Executor& executor, std::function<void()> yield,
                   const Limits& limits);

    /// A place that is spared is not taken away, whatever its client does.
    void spare(bool spared) { is_spared_ = spared; }

    // What the session does with its place. NOOP, RSET and EHLO are no progress.

    void begins_to_wait() {
      if (!is_spared_) place_.begins_to_wait();
    }

    void ends_wait() { place_.has_come(0); }

    /// MAIL or RCPT was accepted.
    void takes_command() {
      place_.makes_progress();
      place_.has_come(octets_of_command_);
    }

    void takes_content(std::uint64_t octets) { place_.has_come(octets); }

    void takes_message() { place_.completes(); }

   private:
    friend class Gate;

    explicit Ticket(FairShare::Holding place) : place_(std::move(place)) {}

    FairShare::Holding place_;
    std::uint64_t octets_of_command_ = 0;
    bool is_spared_ = false;
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

  /// So many sessions are open that clients of networks that hold their part or more get only the
  /// short timeouts.
  bool overloaded(const Limits& limits) const;
  /// Whether the client with this place gets them.
  bool hurries(const Ticket& ticket, const Limits& limits) const;

 private:
  bool may_come(const base::Origin& origin, const Limits& limits);

  ports::Clock& clock_;
  FairShare places_;
  ClientRate newcomers_;
  std::atomic<bool> draining_{false};
};

}  // namespace relay::inbound
