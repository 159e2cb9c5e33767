#include "relay/inbound/gate.hpp"

#include <algorithm>
#include <utility>

namespace relay::inbound {

namespace {

// An accepted command is worth as much content as the slowest permitted client sends in this time.
constexpr std::chrono::seconds kOfCommand{1};

GateRefusal refusal_of(ShareLevel used_up) {
  switch (used_up) {
    case ShareLevel::Client:
      return GateRefusal::ClientFull;
    case ShareLevel::Network:
    case ShareLevel::WiderNetwork:
      return GateRefusal::NetworkFull;
    case ShareLevel::Everybody:
      break;
  }
  return GateRefusal::Full;
}

}  // namespace

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
    case GateRefusal::TooFast:
      return "Too many new connections from your address, try again later";
    case GateRefusal::Wasteful:
      return "Too much unfinished mail from your network, try again later";
  }
  return "Try again later";
}

bool Gate::may_come(const base::Origin& origin, const Limits& limits) {
  return newcomers_.take(origin, limits.connections_from_client, clock_.steady());
}

std::expected<Gate::Ticket, GateRefusal> Gate::enter(const base::Origin& origin,
                                                     const Limits& limits) {
  if (draining()) return std::unexpected(GateRefusal::Draining);
  if (!may_come(origin, limits)) return std::unexpected(GateRefusal::TooFast);
  // A limit of half of all places or more for one network means that none are kept free for others.
  const bool leaves_room = limits.connections_per_network < limits.connections_total / 2;
  auto place = places_.open(origin, {.total = limits.connections_total,
                                     .per_client = limits.connections_per_client,
                                     .per_network = limits.connections_per_network,
                                     .leaves_room = leaves_room});
  const auto room = place.hold(1);
  if (!room) return std::unexpected(refusal_of(room.error()));
  return Ticket(std::move(place));
}

std::expected<void, GateRefusal> Gate::move(Ticket& ticket, const base::Origin& origin,
                                            const Limits& limits) {
  if (!may_come(origin, limits)) return std::unexpected(GateRefusal::TooFast);
  const auto moved = ticket.place_.move_to(origin);
  if (!moved) return std::unexpected(refusal_of(moved.error()));
  return {};
}

void Gate::Ticket::may_yield(const base::Executor& executor, std::function<void()> yield,
                             const Limits& limits) {
  const std::uint64_t progress = content_in(FairShare::kPatience, limits);
  octets_of_command_ = content_in(kOfCommand, limits);
  place_.may_yield({.executor = executor,
                    .yield = std::move(yield),
                    .progress = progress,
                    .progress_of_unit = progress});
}

bool Gate::hurries(const Ticket& ticket, const Limits& limits) const {
  return overloaded(limits) && ticket.place_.has_its_part();
}

bool Gate::overloaded(const Limits& limits) const {
  const std::uint64_t threshold =
      std::uint64_t{limits.connections_total} * limits.overload_percent / 100;
  return inside() >= std::max<std::uint64_t>(threshold, 1);
}

}  // namespace relay::inbound
