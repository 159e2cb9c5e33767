// The server side of RFC 5321 as a value: lines in, actions out, no I/O and no clock. The session
// carries out an action (look up a recipient, read content, start TLS) and reports the result here.
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

/// The settings of one session; a reload does not change them while it lasts.
struct ServerOptions {
  std::string hostname;
  std::uint64_t max_size = 50ULL * 1024 * 1024;  ///< octets of content, announced with SIZE
  std::uint32_t max_recipients = 1000;
  /// How many commands and recipients may be refused since the last accepted message. One more
  /// closes the session with 421; a refused recipient first only closes the transaction to further
  /// recipients, and so does each where some were accepted.
  std::uint32_t max_errors = 20;
  /// Commands without effect since the last accepted message; one more closes the session with 421.
  std::uint32_t max_junk = 100;
  bool offer_starttls = false;
  bool tls_active = false;    ///< a new machine begins with this set after STARTTLS
  bool require_tls = false;   ///< MAIL is accepted only under TLS
  bool offer_naming = false;  ///< the reply to EHLO offers XCLIENT and XFORWARD
};

/// Send the reply, then read the next line.
struct Respond {
  Reply reply;
};

/// Find out whether mail for this forward-path is accepted; answer with on_recipient().
struct CheckRecipient {
  mail::ForwardPath forward_path;
};

/// Send the reply (354), read the content to its end, answer with on_content_end().
struct ReadContent {
  Reply reply;
};

/// Send the reply (220), do the handshake, go on with a new machine; or answer
/// on_tls_unavailable().
struct BeginTls {
  Reply reply;
};

/// Send the reply and close the connection.
struct Close {
  Reply reply;
  /// A 421 to send after the reply, where the reply answers a command and does not itself say that
  /// the connection ends (RFC 5321 §3.8).
  std::optional<Reply> farewell;
};

using Action = std::variant<Respond, CheckRecipient, ReadContent, BeginTls, NameClient, Close>;

/// The reply that belongs to the action; nullptr: there is none yet.
const Reply* reply_in(const Action& action);

/// An open mail transaction: from MAIL until it ends in any way.
struct OpenTransaction {
  std::uint32_t number = 0;
  mail::Envelope envelope;
  std::uint32_t asked = 0;    ///< recipients that were looked up, whatever the result
  bool put_off = false;       ///< some recipient heard 4xx
  bool closed = false;        ///< no further recipient is looked up
  bool data_refused = false;  ///< DATA came without an accepted recipient
};

class ServerMachine {
 public:
  /// How many recipients of one transaction are looked up beyond max_recipients.
  static constexpr std::uint32_t kSpareRecipients = 100;
  /// After so many recipients were answered 4xx since the last accepted message, or twice
  /// max_recipients if that is more, no further recipient is looked up. A client that retries a
  /// whole queue stays below it.
  static constexpr std::uint32_t kManyPutOff = 1000;
  /// Beyond kFlood times that number, every further one also counts as a command without effect.
  static constexpr std::uint32_t kFlood = 10;
  /// How many commands other than QUIT a client may send after it was refused service.
  static constexpr std::uint32_t kTurnedAwayCommands = 10;

  explicit ServerMachine(ServerOptions options) : options_(std::move(options)) {}

  /// Sets whether XCLIENT and XFORWARD are offered.
  void offer_naming(bool offered) { options_.offer_naming = offered; }

  /// The 220 that opens a connection. Not sent again after STARTTLS.
  Reply banner() const;

  /// Instead of the banner: `reply`, a 554, refuses all service. Until QUIT every command is
  /// answered 503 (RFC 5321 §3.1), at most kTurnedAwayCommands times, then 421.
  Action turn_away(Reply reply);

  /// Takes a command line without CRLF. `more_buffered`: the client has already sent octets behind
  /// it, which is allowed within a pipelined group only, up to its last command (RFC 2920 §3.1).
  /// Precondition: no CheckRecipient or ReadContent is unanswered.
  Action on_line(std::string_view line, bool more_buffered);

  /// No line end within kMaxCommandOctets: 500, then 421 and close, without reading on.
  Action on_overlong_line();

  /// A line that ended in LF without CR: refused, not executed.
  Action on_bare_line_end();

  /// Answers BeginTls when TLS cannot be had at the moment: 454, and the session goes on
  /// unencrypted (RFC 3207 §4). Otherwise a new machine takes over, or the connection ends.
  Action on_tls_unavailable();

  /// Answers CheckRecipient: nullopt accepts the recipient; a Reply (4xx or 5xx) refuses it.
  Action on_recipient(std::optional<Reply> refusal);

  /// Answers NameClient: nullopt accepts the attributes of XFORWARD; a Reply (4xx or 5xx) refuses
  /// those of either command. After accepted attributes of XCLIENT a new machine begins instead.
  Action on_client_named(std::optional<Reply> refusal);

  /// Answers ReadContent. A 421 closes. An accepted message resets the counts of errors and 4xx.
  Action on_content_end(const EndOfDataReply& reply);

  /// Answers ReadContent when the content is not read to its end: the refusal, then 421 and close.
  Action on_content_cut(Reply refusal);

  /// Ends the session between commands for a reason of our own: overload, drain, deadline.
  Action shut_down(Reply reply);

  /// The number of the open transaction, unique in this session; 0 when there is none. State kept
  /// per transaction must be dropped when this number changes.
  std::uint32_t transaction() const { return transaction_ ? transaction_->number : 0; }

  /// How often an actual or possible transaction has ended: RSET and EHLO count even when none was
  /// open.
  std::uint32_t boundaries() const { return boundaries_; }

  /// The envelope so far. Precondition: transaction() != 0.
  const mail::Envelope& envelope() const { return transaction_->envelope; }

  const std::string& helo() const { return helo_; }  ///< "" before HELO or EHLO

  bool esmtp() const { return esmtp_; }  ///< the greeting was EHLO

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
  Action put_off(Reply reply);  ///< a recipient is answered 4xx
  Action sequence_error(std::string_view text);
  Action on_line_without_service(std::string_view line);
  std::uint32_t many_put_off() const;
  Reply greeting() const;

  /// Ends a transaction, for whatever reason: accepted, refused, RSET, EHLO, STARTTLS, close.
  void end_transaction() {
    transaction_.reset();
    ++boundaries_;
  }

  ServerOptions options_;
  std::string helo_;
  bool esmtp_ = false;
  std::optional<OpenTransaction> transaction_;
  std::optional<mail::ForwardPath> checking_;  ///< the recipient being looked up
  std::uint32_t transactions_begun_ = 0;
  std::uint32_t boundaries_ = 0;
  std::uint32_t errors_ = 0;
  std::uint32_t junk_ = 0;
  std::uint32_t put_off_ = 0;  ///< recipients answered 4xx since the last accepted message
  bool turned_away_ = false;
};

}  // namespace relay::smtp
