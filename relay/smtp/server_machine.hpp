// The server side of RFC 5321 as a value: lines in, actions out, no I/O and no clock. What the
// session does with an action (look up a recipient, read content, start TLS) it reports back here.
// Knows nothing of aliases, storage or sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "relay/mail/envelope.hpp"
#include "relay/smtp/command.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::smtp {

/// What a session was promised when it began; a reload does not change it under way.
struct ServerOptions {
  std::string hostname;
  std::uint64_t max_size = 50ULL * 1024 * 1024;  ///< octets of content, announced with SIZE
  std::uint32_t max_recipients = 1000;
  /// Refused commands and recipients since the last accepted message. Beyond them a transaction
  /// takes no further recipients, and the next error hears 421.
  std::uint32_t max_errors = 20;
  /// Commands that lead nowhere since the last accepted message, then 421.
  std::uint32_t max_junk = 100;
  bool offer_starttls = false;
  bool tls_active = false;    ///< after STARTTLS a new machine begins with this set
  bool require_tls = false;   ///< MAIL is taken under TLS only
  bool offer_naming = false;  ///< XCLIENT and XFORWARD stand in the answer to EHLO
};

/// Send the reply and read on.
struct Respond {
  Reply reply;
};

/// Ask whether mail for this forward-path is taken; answer with on_recipient().
struct CheckRecipient {
  mail::ForwardPath forward_path;
};

/// Send the reply (354), read content to its end, answer with on_content_end().
struct ReadContent {
  Reply reply;
};

/// Send the reply (220), do the handshake, go on with a new machine.
struct BeginTls {
  Reply reply;
};

/// Send the reply and close the connection.
struct Close {
  Reply reply;
  /// A 421 to send behind the reply, where that answers a command and does not say that the
  /// connection ends (RFC 5321 §3.8).
  std::optional<Reply> farewell;
};

using Action = std::variant<Respond, CheckRecipient, ReadContent, BeginTls, NameClient, Close>;

/// What is said with it; nullptr: nothing, or nothing yet.
const Reply* reply_in(const Action& action);

/// An open mail transaction: from MAIL to whatever ends it.
struct OpenTransaction {
  std::uint32_t number = 0;
  mail::Envelope envelope;
  std::uint32_t asked = 0;    ///< recipients that were asked about, whatever the answer
  bool put_off = false;       ///< some recipient heard 4xx
  bool closed = false;        ///< no further recipient is asked about
  bool data_refused = false;  ///< DATA was said without a recipient
};

class ServerMachine {
 public:
  /// Recipients of one transaction that are asked about beyond max_recipients.
  static constexpr std::uint32_t kSpareRecipients = 100;
  /// Recipients that hear 4xx between two accepted messages, or twice max_recipients if that is
  /// more. Who has a whole queue put off stays below; for others nobody is asked any more.
  static constexpr std::uint32_t kManyPutOff = 1000;
  /// Beyond so many times as many, each is a command that leads nowhere.
  static constexpr std::uint32_t kFlood = 10;
  /// Commands that a client who gets no service may say before it says QUIT.
  static constexpr std::uint32_t kTurnedAwayCommands = 10;

  explicit ServerMachine(ServerOptions options) : options_(std::move(options)) {}

  /// Whether XCLIENT and XFORWARD are offered from now on.
  void offer_naming(bool offered) { options_.offer_naming = offered; }

  /// The 220 that opens a connection. Not sent again after STARTTLS.
  Reply banner() const;

  /// Instead of the banner, with a 554: there is no service. Until the client says QUIT it hears
  /// 503 (RFC 5321 §3.1), so many times.
  Action turn_away(Reply reply);

  /// A command line without CRLF. `more_buffered`: the client has already sent octets behind it,
  /// which only a pipelined group may have, and only up to its last command (RFC 2920 §3.1).
  /// Precondition: no CheckRecipient or ReadContent is unanswered.
  Action on_line(std::string_view line, bool more_buffered);

  /// No line end within kMaxCommandOctets: 500, then 421 and away, without reading on.
  Action on_overlong_line();

  /// A line that ended in LF without CR. It is refused, not executed.
  Action on_bare_line_end();

  /// Answers BeginTls where TLS is not to be had now: 454, and the session goes on in the clear
  /// (RFC 3207 §4). Without this answer a new machine takes over, or the connection ends.
  Action on_tls_unavailable();

  /// Answers CheckRecipient: nullopt takes the recipient, a Reply (4xx or 5xx) is the refusal.
  Action on_recipient(std::optional<Reply> refusal);

  /// Answers NameClient: nullopt takes the names of XFORWARD, a Reply (4xx or 5xx) refuses those of
  /// either command. With those of XCLIENT a new machine begins.
  Action on_client_named(std::optional<Reply> refusal);

  /// Answers ReadContent. A 421 closes. An accepted message forgives the errors before it.
  Action on_content_end(const EndOfDataReply& reply);

  /// Answers ReadContent when the content is not read to its end: the refusal, then 421 and away.
  Action on_content_cut(Reply refusal);

  /// Ends the session from our side between commands: overload, drain, deadline.
  Action shut_down(Reply reply);

  /// The number of the open transaction, unique in this session; 0 when there is none. Whoever
  /// keeps things per transaction drops them when this number changes.
  std::uint32_t transaction() const { return transaction_ ? transaction_->number : 0; }

  /// How many times whatever could have been a transaction has ended: it changes with RSET and EHLO
  /// as well.
  std::uint32_t boundaries() const { return boundaries_; }

  /// The envelope so far. Precondition: transaction() != 0.
  const mail::Envelope& envelope() const { return transaction_->envelope; }

  const std::string& helo() const { return helo_; }  ///< "" before HELO or EHLO

  bool esmtp() const { return esmtp_; }  ///< it was EHLO

 private:
  Action on_hello(Hello hello);
  Action on_mail(MailFrom mail);
  Action on_rcpt(RcptTo rcpt);
  Action on_data();
  Action on_simple(Verb verb);
  Action on_starttls();
  Action on_name_client(NameClient named);
  Action on_refusal(Refusal refusal);

  Action error(Reply reply);    ///< counts against the error budget
  Action junk(Reply reply);     ///< counts against the junk budget
  Action put_off(Reply reply);  ///< a recipient hears 4xx
  Action sequence_error(std::string_view text);
  Action on_line_without_service(std::string_view line);
  std::uint32_t many_put_off() const;
  Reply greeting() const;

  /// The one end of every transaction: accepted, refused, RSET, EHLO, STARTTLS, close.
  void end_transaction() {
    transaction_.reset();
    ++boundaries_;
  }

  ServerOptions options_;
  std::string helo_;
  bool esmtp_ = false;
  std::optional<OpenTransaction> transaction_;
  std::optional<mail::ForwardPath> checking_;  ///< the recipient that was asked about
  std::uint32_t transactions_begun_ = 0;
  std::uint32_t boundaries_ = 0;
  std::uint32_t errors_ = 0;
  std::uint32_t junk_ = 0;
  std::uint32_t put_off_ = 0;  ///< recipients that heard 4xx since the last accepted message
  bool turned_away_ = false;
};

}  // namespace relay::smtp
