// Who may come in, and how many: counts open sessions in total, per client and per network.
// Thread-safe. Knows addresses only.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <mutex>
#include <string>
#include <unordered_map>

#include <boost/asio/ip/address.hpp>

#include "relay/inbound/policy.hpp"

namespace relay::inbound {

enum class GateRefusal { Draining, Full, ClientFull, NetworkFull, Wasteful };

std::string_view describe(GateRefusal refusal);  ///< for the 421

class Gate {
 public:
  /// A place in the house; leaving gives it back. Movable, to travel with its session.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();

   private:
    friend class Gate;
    Ticket(Gate& gate, std::string client, std::string network);

    Gate* gate_;
    std::string client_;
    std::string network_;
  };

  std::expected<Ticket, GateRefusal> enter(const boost::asio::ip::address& address,
                                           const Limits& limits);

  /// Lets nobody in any more; those inside finish their message.
  void close() { draining_.store(true, std::memory_order_relaxed); }

  bool draining() const { return draining_.load(std::memory_order_relaxed); }

  std::uint32_t inside() const { return inside_.load(std::memory_order_acquire); }

  /// True when so many are inside that everyone must hurry: with shorter waits for commands.
  bool overloaded(const Limits& limits) const;

 private:
  using Counts = std::unordered_map<std::string, std::uint32_t>;

  static void leave(Counts& counts, const std::string& key);

  std::mutex mutex_;
  Counts clients_;
  Counts networks_;
  std::atomic<std::uint32_t> inside_{0};
  std::atomic<bool> draining_{false};
};

/// The address as we name it: IPv4-mapped IPv6 as IPv4, without scope.
boost::asio::ip::address plain_address(const boost::asio::ip::address& address);

/// The network a client belongs to: IPv4 /24, IPv6 /64.
std::string network_of(const boost::asio::ip::address& address);

}  // namespace relay::inbound
