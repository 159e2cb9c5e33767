#include "relay/inbound/gate.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include "relay/forward/sender_rewrite.hpp"

namespace relay::inbound {

namespace ip = boost::asio::ip;

std::string_view describe(GateRefusal refusal) {
  switch (refusal) {
    case GateRefusal::Draining:
      return "Shutting down, try again later";
    case GateRefusal::Full:
      return "Too many connections, try again later";
    case GateRefusal::ClientFull:
      return "Too many connections from your address";
    case GateRefusal::NetworkFull:
      return "Too many connections from your network";
    case GateRefusal::Wasteful:
      return "Too much unfinished mail from your network, try again later";
  }
  return "Try again later";
}

ip::address plain_address(const ip::address& address) {
  if (!address.is_v6()) return address;
  ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6);
  v6.scope_id(0);
  return v6;
}

std::string network_of(const ip::address& address) {
  return forward::client_prefix(plain_address(address).to_string());
}

Gate::Ticket::Ticket(Gate& gate, std::string client, std::string network)
    : gate_(&gate), client_(std::move(client)), network_(std::move(network)) {}

Gate::Ticket::Ticket(Ticket&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)),
      client_(std::move(other.client_)),
      network_(std::move(other.network_)) {}

Gate::Ticket::~Ticket() {
  if (gate_ == nullptr) return;
  const std::lock_guard lock(gate_->mutex_);
  leave(gate_->clients_, client_);
  leave(gate_->networks_, network_);
  gate_->inside_.fetch_sub(1, std::memory_order_release);
}

std::expected<Gate::Ticket, GateRefusal> Gate::enter(const ip::address& address,
                                                     const Limits& limits) {
  if (draining()) return std::unexpected(GateRefusal::Draining);
  std::string client = plain_address(address).to_string();
  std::string network = network_of(address);
  const std::lock_guard lock(mutex_);
  if (inside() >= limits.connections_total) return std::unexpected(GateRefusal::Full);
  const auto count = [](const Counts& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0U : found->second;
  };
  if (count(clients_, client) >= limits.connections_per_client) {
    return std::unexpected(GateRefusal::ClientFull);
  }
  if (count(networks_, network) >= limits.connections_per_network) {
    return std::unexpected(GateRefusal::NetworkFull);
  }
  // Both places are there before either is counted: making one can fail.
  std::uint32_t& of_client = clients_[client];
  std::uint32_t& of_network = networks_[network];
  ++of_client;
  ++of_network;
  inside_.fetch_add(1, std::memory_order_relaxed);
  return Ticket(*this, std::move(client), std::move(network));
}

bool Gate::overloaded(const Limits& limits) const {
  const std::uint64_t threshold =
      std::uint64_t{limits.connections_total} * limits.overload_percent / 100;
  return inside() >= std::max<std::uint64_t>(threshold, 1);
}

void Gate::leave(Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace relay::inbound
