#include "relay/inbound/client.hpp"

#include "relay/base/network.hpp"

namespace relay::inbound {

namespace {

Client known_by(KnownBy how, const boost::asio::ip::address& address) {
  Client client;
  client.address = base::plain_address(address);
  client.named.address = base::text_of(client.address);
  client.origin = base::origin_of(client.address);
  client.known_by = how;
  return client;
}

}  // namespace

Client client_at(const boost::asio::ip::address& address, std::uint16_t port, KnownBy how,
                 const ArrivalPolicy& policy) {
  Client client = known_by(how, address);
  client.named.port = port;
  client.is_exempt = policy.exempts(client.address);
  return client;
}

Client claimed_client(const boost::asio::ip::address& address, KnownBy how, const Client& gateway) {
  Client client = known_by(how, address);
  client.named.esmtp = gateway.named.esmtp;
  client.through = gateway.named.address;
  return client;
}

}  // namespace relay::inbound
