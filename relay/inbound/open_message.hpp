// What a session shows of the message that is coming in to those who decide about it.
#pragma once

#include <string>

#include <boost/asio/ip/address.hpp>

#include "relay/base/task.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::inbound {

/// References are the session's, which awaits the answer: the transaction does not end meanwhile.
struct OpenMessage {
  const mail::Client& client;
  const boost::asio::ip::address& address;  ///< of the client, as plain_address()
  const std::string& network;               ///< of the client, as network_of()
  const mail::Envelope& envelope;           ///< so far
  Transaction& transaction;
  base::Executor executor;     ///< of the session
  base::Deadline session_end;  ///< nothing asked for this session takes longer
};

}  // namespace relay::inbound
