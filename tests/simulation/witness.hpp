// The events that the servers of the simulated world see of the relay, reported when they happen.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/ports/stream.hpp"
#include "tests/simulation/mood.hpp"

namespace relay::simulation {

/// An attempt to connect, and the connection when there was one. Numbers begin at 1.
struct Dialled {
  std::uint32_t connection = 0;
  int host = -1;  ///< of the world; -1: there is none at this address
  ports::Endpoint remote;
  bool risk_pool = false;   ///< by the source address
  bool offers_tls = false;  ///< the host does
};

/// A reply. If it refuses, or answers a dot, its text contains its number as "[r17]", so that a
/// record that repeats it shows where it was heard.
struct Said {
  std::uint32_t number = 0;  ///< 0: it has none
  std::uint32_t connection = 0;
  std::uint32_t transaction = 0;  ///< 0: before the first MAIL
  Step step = Step::Connect;
  int code = 0;
  std::string_view status;          ///< as shown
  std::string_view recipient;       ///< of a RCPT
  unsigned accepted = 0;            ///< recipients before it in this transaction
  std::chrono::milliseconds delay;  ///< until it can be read
};

/// Content that was complete, or would have been.
struct Content {
  std::string_view message_id;  ///< of its header, what stands between "<" and "@"
  std::uint64_t body_hash = 0;
  std::uint64_t octets = 0;
};

/// How a client ended a connection.
struct Closed {
  std::uint32_t connection = 0;
  bool died = false;      ///< the process did
  bool awaiting = false;  ///< a reply that had not come, of a server that was still there
  Step step = Step::Connect;
  std::chrono::milliseconds waited{0};
};

/// Breaches of protocol by a client (RFC 5321 §4.1.4, RFC 2920 §3.1, RFC 3207, RFC 9422).
enum class Breach : std::uint8_t {
  BeforeBanner,
  BeforeReply,  ///< spoke on where it had to wait
  UnknownCommand,
  LineTooLong,
  BareLineFeed,
  MailWithoutHello,
  MailInTransaction,
  ParameterNotOffered,
  RcptWithoutMail,
  DataWithoutRcpt,
  TlsNotOffered,
  TlsTwice,
  TlsInTransaction,
  ClearTextAfterStartTls,
  AfterQuit,
  StatedLimit,  ///< RCPTMAX or MAILMAX
  ContentForNobody,
};

std::string_view name(Breach breach);

class Witness {
 public:
  virtual ~Witness() = default;

  virtual void dialled(const Dialled& dialled) = 0;
  virtual void failed_to_connect(std::uint32_t connection) = 0;
  virtual void handshake(std::uint32_t connection, bool succeeded) = 0;
  virtual void heard_mail(std::uint32_t connection, std::uint32_t transaction,
                          std::string_view sender) = 0;
  virtual void heard_rcpt(std::uint32_t connection, std::uint32_t transaction,
                          std::string_view recipient) = 0;
  /// A dot was heard; `recipients` are those that were accepted. `taken`: the server has taken the
  /// message.
  virtual void heard_dot(std::uint32_t connection, std::uint32_t transaction,
                         const Content& content, const std::vector<std::string_view>& recipients,
                         bool taken) = 0;
  virtual void said(const Said& said) = 0;
  /// The server owes a reply that will never come, or has stopped reading.
  virtual void fell_silent(std::uint32_t connection) = 0;
  virtual void closed(const Closed& closed) = 0;
  virtual void breached(std::uint32_t connection, Breach breach, std::string_view line) = 0;
};

}  // namespace relay::simulation
