#include "relay/inbound/entrance.hpp"

namespace relay::inbound {

std::expected<Gate::Ticket, GateRefusal> Entrance::enter(const Client& client,
                                                         const Limits& limits) {
  if (is_wasteful(client, limits)) return std::unexpected(GateRefusal::Wasteful);
  return gate_.enter(client.counted(), limits);
}

std::expected<void, GateRefusal> Entrance::change(Gate::Ticket& ticket, const Client& client,
                                                  const Limits& limits) {
  if (is_wasteful(client, limits)) return std::unexpected(GateRefusal::Wasteful);
  return gate_.move(ticket, client.counted(), limits);
}

bool Entrance::is_wasteful(const Client& client, const Limits& limits) {
  return waste_.exhausted(client.counted(), limits.wasted, clock_.steady());
}

}  // namespace relay::inbound
