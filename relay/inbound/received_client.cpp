#include "relay/inbound/received_client.hpp"

#include <algorithm>
#include <string>

#include "relay/base/text.hpp"
#include "relay/mail/received.hpp"

namespace relay::inbound {

namespace ip = boost::asio::ip;

namespace {

std::optional<ip::address> address_in(const mail::Received& received) {
  const auto address = base::parse_address(received.address);
  if (!address) return std::nullopt;
  return base::plain_address(*address);
}

bool has_name(const GatewayPolicy& gateway, const std::string& name) {
  return std::ranges::find(gateway.names, name) != gateway.names.end();
}

/// 127.0.0.1 or ::1; no other address of 127.0.0.0/8.
bool is_loopback(const ip::address& address) {
  return address == ip::address(ip::address_v4::loopback()) ||
         address == ip::address(ip::address_v6::loopback());
}

/// The field records a step from a host of the gateway.
bool came_from_gateway(const mail::Received& received, const GatewayPolicy& gateway) {
  const auto address = address_in(received);
  return address && (is_loopback(*address) || base::contains(gateway.from, *address) ||
                     has_name(gateway, received.reverse_name));
}

struct Run {
  std::optional<mail::Received> lowest;
  std::size_t end = 0;  ///< the first Received field below the run, or the end of the header
};

Run run_of(const mail::Header& header, const GatewayPolicy& gateway) {
  Run run;
  bool is_open = true;
  const auto& fields = header.fields();
  for (; run.end < fields.size(); ++run.end) {
    const mail::HeaderField& field = fields[run.end];
    if (!base::equal_ignoring_case(field.name, "Received")) continue;
    if (!is_open) break;
    auto received = mail::read_received(field.value);
    if (gateway.names.empty()) {
      is_open = false;
      continue;
    }
    if (!received || !has_name(gateway, received->by)) break;
    is_open = came_from_gateway(*received, gateway);
    run.lowest = std::move(received);
  }
  return run;
}

}  // namespace

std::optional<Client> client_in_received(const mail::Header& header, const GatewayPolicy& gateway,
                                         const Client& peer) {
  const Run run = run_of(header, gateway);
  if (!run.lowest) return std::nullopt;
  const auto address = address_in(*run.lowest);
  if (!address || is_loopback(*address)) return std::nullopt;
  Client client = claimed_client(*address, KnownBy::Received, peer);
  client.named.helo = run.lowest->helo.substr(0, mail::kMaxDomainOctets);
  std::ranges::replace_if(client.named.helo, [](char c) { return c < ' ' || c > '~'; }, '?');
  client.helo_is_named = true;
  return client;
}

std::size_t fields_of_gateway(const mail::Header& header, const GatewayPolicy& gateway) {
  return run_of(header, gateway).end;
}

}  // namespace relay::inbound
