// From DATA to the reply to its end: reads the content into the queue's draft, enforces the minimum
// pace, has the message judged, and answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "relay/inbound/acceptance.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/host_troubles.hpp"
#include "relay/inbound/open_message.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/smtp/data_reader.hpp"

namespace relay::ports {
class IntakeQueue;
}

namespace relay::inbound {

/// Reading stopped before the end of data: the client sent too much content that is refused anyway.
/// The session replies and closes, because what follows is content and must not be read as
/// commands.
struct ContentCut {
  smtp::Reply refusal;
};

/// The connection ended: nothing of the message is kept, and no reply can be given.
struct ConnectionOver {};

/// One for all sessions. Thread-safe: it has no state of its own.
class ContentReceiver {
 public:
  struct Parts {
    ports::Clock& clock;
    ports::Resolver& resolver;
    ports::IntakeQueue& queue;
    FairShare& memory;
    WasteGuard& waste;
    const HostTroubles& troubles;
    AcceptanceParts acceptance;
  };

  explicit ContentReceiver(Parts parts) : parts_(parts) {}

  using Outcome = std::variant<Acceptance, ContentCut, ConnectionOver>;

  /// Reads to the end of data and says what became of the message. Refused content is still read,
  /// because a client that is cut off sends the same again; but no more than max_size octets after
  /// the fault, and not when the client's network has used up its allowance of waste. Octets of
  /// refused content are charged to the network as they come. `limits` are those announced to the
  /// client.
  base::Task<Outcome> receive(ClientConnection& connection, OpenMessage message,
                              const Limits& limits) const;

 private:
  /// Counts octets of one message that will not be stored.
  class Waste;

  /// The header is complete: finds the client in Received if needed, and begins verification then.
  auth::MessageCheck* take_header(const OpenMessage& message, const mail::Header& header) const;

  /// False: the connection is over, or the content is refused and enough of it was read.
  base::Task<bool> read(ClientConnection& connection, const Limits& limits,
                        smtp::DataReader& reader, Intake& intake, Waste& waste) const;

  /// A share of memory for one message. It can be taken away while the client stalls.
  FairShare::Holding memory_for(ClientConnection& connection, const Client& client,
                                const Limits& limits) const;

  /// Forgives the attempts at recipients of a message that is answered so, if it is taken or if it
  /// is not for trouble of ours.
  void settle_attempts(const Transaction& transaction, const smtp::Reply& answer) const;

  Parts parts_;
};

}  // namespace relay::inbound
