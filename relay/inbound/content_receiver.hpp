// What happens between DATA and the reply to its end: reads the content into the queue's draft, as
// fast as the client sends and no slower than it must, has it judged, and answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "relay/inbound/acceptance.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/open_message.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/smtp/data_reader.hpp"

namespace relay::inbound {

/// The content was not read to its end, for the client has sent too much of what is refused. The
/// session says so and ends: what follows is content, not commands.
struct ContentCut {
  smtp::Reply refusal;
};

/// The connection is over: nothing of the message stays, and nobody is told.
struct ConnectionOver {};

/// One for all sessions; thread-safe, for it keeps nothing.
class ContentReceiver {
 public:
  struct Parts {
    ports::Clock& clock;
    ports::Resolver& resolver;
    ports::IntakeQueue& queue;
    FairShare& memory;
    WasteGuard& waste;
    AcceptanceParts acceptance;
  };

  explicit ContentReceiver(Parts parts) : parts_(parts) {}

  using Outcome = std::variant<Acceptance, ContentCut, ConnectionOver>;

  /// Reads to the end of data and says what became of the message. What is refused is read on, for
  /// a client that is cut off comes again with the same, but no further than max_size octets behind
  /// the fault, nor when the client's network has used up its waste. Octets of what is refused are
  /// charged to the network as they come. `limits` are those that the client was promised.
  base::Task<Outcome> receive(ClientConnection& connection, OpenMessage message,
                              const Limits& limits) const;

 private:
  /// Octets of one message that become none.
  class Waste;

  /// The header is there: who sent the message is known now, if it was not before.
  auth::MessageCheck* take_header(const OpenMessage& message, const mail::Header& header) const;

  /// False: the connection is over, or there is a refusal, and enough was wasted.
  base::Task<bool> read(ClientConnection& connection, const Limits& limits,
                        smtp::DataReader& reader, Intake& intake, Waste& waste) const;

  /// Memory for one message. While its client keeps us waiting it can be taken away.
  FairShare::Holding memory_for(ClientConnection& connection, const Client& client,
                                const Limits& limits) const;

  Parts parts_;
};

}  // namespace relay::inbound
