#include "relay/inbound/client_admission.hpp"

#include <chrono>

#include "relay/inbound/proxy/reception.hpp"

namespace relay::inbound {

namespace {

// For octets that have arrived already.
constexpr std::chrono::seconds kGlance{1};

/// To a client that sends something before the banner.
base::Task<ClientAdmission::Objection> objection_to_haste(ClientConnection& connection,
                                                          const std::string& address) {
  if (connection.over()) co_return std::nullopt;
  if (connection.buffer().empty() && !connection.has_unread()) co_return std::nullopt;
  if (connection.buffer().empty()) {
    const bool more = co_await connection.read_more(connection.after(kGlance));
    if (!more) co_return std::nullopt;
  }
  auto header = proxy::objection_to_header(connection.buffer().pending(), address);
  if (header) co_return header;
  co_return smtp::Reply(421, {4, 7, 0}, "Wait for the banner");
}

}  // namespace

bool ClientAdmission::is_gateway() const {
  return parts_.policy.get()->arrival.gateway_at(client_.peer().address) != nullptr;
}

bool ClientAdmission::is_balancer(const ListenerPolicy& listener) const {
  return base::contains(listener.proxies, client_.peer().address);
}

base::Task<ClientAdmission::Objection> ClientAdmission::hear_balancer(
    ClientConnection& connection) {
  const auto header = co_await proxy::receive_header(connection);
  if (!header) co_return header.error();
  if (header->source) client_.take_proxy(*header->source, policy_.arrival);
  co_return change_place();
}

base::Task<ClientAdmission::Objection> ClientAdmission::objection_to_listed(
    const ClientConnection& connection) const {
  return parts_.abuse.objection_to_client(client_.of_session().named.address, DnsListStage::Connect,
                                          policy_.abuse, connection.session_end());
}

base::Task<ClientAdmission::Objection> ClientAdmission::objection_to_arrival(
    ClientConnection& connection) {
  Objection listed;
  if (!client_.of_session().is_exempt && !connection.over()) {
    listed = co_await objection_to_listed(connection);
  }
  auto hasty = co_await objection_to_haste(connection, client_.of_session().named.address);
  if (hasty) co_return hasty;
  co_return listed;
}

std::expected<void, smtp::Reply> ClientAdmission::take_name(const smtp::NameClient& said) {
  const auto newest = parts_.policy.get();
  if (newest->arrival.gateway_at(client_.peer().address) == nullptr) {
    return std::unexpected(smtp::Reply(550, {5, 7, 0}, "No [[gateway]] names your address"));
  }
  if (client_.naming_is_over()) {
    // Not a 5xx: a gateway may go on after it, with mail of the next client in this one's name.
    return std::unexpected(smtp::Reply(421, {4, 7, 0}, "Name another client on a new connection"));
  }
  const auto taken = client_.take(said.by, said.attributes);
  if (!taken) return std::unexpected(smtp::Reply(501, {5, 5, 4}, taken.error()));
  return {};
}

base::Task<ClientAdmission::Objection> ClientAdmission::objection_to_named(
    ClientConnection& connection) {
  const auto newest = parts_.policy.get();
  const GatewayPolicy* const gateway = newest->arrival.gateway_at(client_.peer().address);
  auto full = change_place();
  if (full) co_return full;
  const Client& client = client_.of_session();
  const bool was_accepted = client.is_claimed() && gateway != nullptr && gateway->has_accepted();
  if (client.is_exempt || was_accepted) co_return std::nullopt;
  co_return co_await objection_to_listed(connection);
}

ClientAdmission::Objection ClientAdmission::forget_names() {
  const bool was_named = client_.of_session().is_claimed();
  client_.drop_names();
  return was_named ? change_place() : std::nullopt;
}

ClientAdmission::Objection ClientAdmission::change_place() {
  const auto changed = parts_.entrance.change(place_, client_.of_session(), limits_);
  if (!changed) return smtp::Reply(421, {4, 7, 0}, describe(changed.error()));
  return std::nullopt;
}

}  // namespace relay::inbound
