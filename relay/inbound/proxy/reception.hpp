// Hears the PROXY header at the begin of a connection.
#pragma once

#include <expected>
#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/proxy/header.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound::proxy {

/// Reads the header, which must come within ten seconds. What stands behind it stays in the buffer.
/// The error is what to say to who sends none, or a wrong one; when the connection is over, there
/// is nothing to say.
base::Task<std::expected<Header, std::optional<smtp::Reply>>> receive_header(
    ClientConnection& connection);

/// The octets are those of a header that nobody is to send: what to say.
std::optional<smtp::Reply> objection_to_header(std::string_view octets, const std::string& peer);

}  // namespace relay::inbound::proxy
