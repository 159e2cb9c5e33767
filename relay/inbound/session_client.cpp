#include "relay/inbound/session_client.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "relay/base/network.hpp"

namespace relay::inbound {

namespace {

std::optional<std::uint16_t> port_of(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

KnownBy known_by(smtp::NamedBy by) {
  return by == smtp::NamedBy::Xclient ? KnownBy::Xclient : KnownBy::Xforward;
}

}  // namespace

void SessionClient::take_proxy(const proxy::Source& source, const ArrivalPolicy& policy) {
  Client client = client_at(source.address, source.port, KnownBy::Proxy, policy);
  client.through = peer_.named.address;
  peer_ = std::move(client);
}

std::expected<void, std::string> SessionClient::take(smtp::NamedBy by,
                                                     const smtp::ClientAttributes& attributes) {
  const bool for_session = by == smtp::NamedBy::Xclient;
  const Client& before = for_session ? of_session() : current();
  Client client = before;
  if (attributes.address && attributes.address->empty()) {
    client = peer_;
  } else if (attributes.address) {
    const auto address = base::parse_address(*attributes.address);
    if (!address) return std::unexpected("ADDR is no IP address");
    client = claimed_client(*address, known_by(by), peer_);
    client.named.tls_version = peer_.named.tls_version;
    client.named.tls_cipher = peer_.named.tls_cipher;
    // Another command for the same client: keep HELO.
    if (before.known_by == client.known_by && before.address == client.address) {
      client.named.helo = before.named.helo;
      client.helo_is_named = before.helo_is_named;
    }
  }
  if (attributes.port && !attributes.port->empty()) {
    const auto port = port_of(*attributes.port);
    if (!port) return std::unexpected("PORT is no port");
    client.named.port = *port;
  }
  if (attributes.protocol) {
    if (!attributes.protocol->empty() && *attributes.protocol != "SMTP" &&
        *attributes.protocol != "ESMTP") {
      return std::unexpected("PROTO is SMTP or ESMTP");
    }
    client.named.esmtp = *attributes.protocol == "ESMTP";
  }
  if (attributes.helo && client.is_claimed()) {
    client.named.helo = *attributes.helo;
    client.helo_is_named = true;
  }
  if (attributes.source == "LOCAL") client = peer_;
  auto& place = for_session ? named_ : forwarded_;
  place = std::make_unique<Client>(std::move(client));
  if (for_session) forwarded_.reset();
  return {};
}

void SessionClient::note_hello(const std::string& helo, bool esmtp) {
  Client& client = named_ ? *named_ : peer_;
  if (!client.helo_is_named && client.named.helo != helo) client.named.helo = helo;
  client.named.esmtp = esmtp;
}

void SessionClient::note_tls(std::string version, std::string cipher) {
  peer_.named.tls_version = std::move(version);
  peer_.named.tls_cipher = std::move(cipher);
}

void SessionClient::drop_names() {
  forwarded_.reset();
  named_.reset();
  peer_.named.helo.clear();
}

}  // namespace relay::inbound
