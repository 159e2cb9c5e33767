// What a gateway has put on top of a message that it hands on: of whom it has it, and where its own
// fields end. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "relay/inbound/client.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

/// The Received fields that hosts of the gateway wrote: from the top on, in one run, those by one
/// of its names. The run ends with the first that came from a host outside the gateway, for what
/// stands below was written there, whatever name it bears. Hosts of the gateway are those that may
/// hand mail to us, those whose address has one of its names, and the host itself (127.0.0.1, ::1).

/// Who has sent the message to the gateway `peer`: in the lowest field of that run. nullopt: there
/// is no run, or the message began on the gateway.
std::optional<Client> client_in_received(const mail::Header& header, const GatewayPolicy& gateway,
                                         const Client& peer);

/// Fields of the header, from the top, that the gateway has put there: all above the first Received
/// field behind that run. Without names the topmost Received field alone is its own.
std::size_t fields_of_gateway(const mail::Header& header, const GatewayPolicy& gateway);

}  // namespace relay::inbound
