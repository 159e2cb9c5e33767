// What the fields that a gateway added on top of a message say: the client it got the message from,
// and where its own fields end. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "relay/inbound/client.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

/// The gateway's run of Received fields: from the top, consecutive fields written by one of its
/// names. It ends with the first field that records a step from a host outside the gateway: what
/// stands below was written outside and may be forged. Hosts of the gateway are those in
/// GatewayPolicy::from, those whose reverse name is one of its names, and 127.0.0.1 and ::1.

/// The client that sent the message to the gateway `peer`, from the lowest field of that run.
/// nullopt: there is no run, or the message originated on the gateway.
std::optional<Client> client_in_received(const mail::Header& header, const GatewayPolicy& gateway,
                                         const Client& peer);

/// Number of fields at the top that the gateway added: all above the first Received field below the
/// run. If no names are configured, only the topmost Received field counts as the gateway's.
std::size_t fields_of_gateway(const mail::Header& header, const GatewayPolicy& gateway);

}  // namespace relay::inbound
