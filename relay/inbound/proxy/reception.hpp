// Reads the PROXY header at the start of a connection.
#pragma once

#include <expected>
#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/proxy/header.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound::proxy {

/// Reads the header, which must come within ten seconds. What follows it stays in the buffer. The
/// error is the reply to a peer that sends no header or an invalid one; nullopt if the connection
/// is over.
base::Task<std::expected<Header, std::optional<smtp::Reply>>> receive_header(
    ClientConnection& connection);

/// The reply to a peer that begins with a PROXY header although none is expected from it.
std::optional<smtp::Reply> objection_to_header(std::string_view octets, const std::string& peer);

}  // namespace relay::inbound::proxy
