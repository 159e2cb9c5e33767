// The client side of SMTP (RFC 5321 §3) as a pure value: octets in, octets out, no socket, no
// clock. The caller writes take_output(), feeds what it reads, and follows step(). The result is
// one verdict for each recipient; which host to try next, and when, is decided elsewhere.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/outcome.hpp"
#include "relay/smtp/client_envelope.hpp"
#include "relay/smtp/extensions.hpp"
#include "relay/smtp/recipient_fates.hpp"
#include "relay/smtp/reply_parser.hpp"
#include "relay/smtp/verdict.hpp"

namespace relay::smtp {

/// Whether STARTTLS is used (RFC 3207).
enum class TlsUse {
  Never,
  IfOffered,  ///< goes on unencrypted when STARTTLS is not offered or is refused
  Required,   ///< the session fails without TLS
};

class ClientMachine {
 public:
  enum class Step {
    Read,      ///< write the output, then feed what the server says
    StartTls,  ///< start TLS on the stream, then tls_started(); or give the connection up
    Ready,     ///< greeted, no transaction open: begin() or quit()
    Content,   ///< write the content with its end of data, then content_sent()
    Done,      ///< the transaction ended: verdicts(); then begin() if reusable(), or quit()
    Closed,    ///< the session failed or ended: failure(); verdicts() if a transaction was open
  };

  /// `hostname`: our name, for EHLO. The machine first expects the banner.
  ClientMachine(std::string hostname, TlsUse tls);

  Step step() const { return step_; }

  /// The stage whose reply is awaited; it determines the deadline (RFC 5321 §4.5.3.2).
  mail::Stage stage() const;

  /// Octets to write now; empties the buffer.
  std::string take_output();

  void feed(std::string_view octets);

  /// Call after the handshake: forgets everything learnt before TLS (RFC 3207 §4.2).
  void tls_started();

  /// Precondition: step() is Ready, or Done and reusable().
  void begin(ClientTransaction transaction);

  /// Call when the content and its end of data are written. Precondition: step() is Content.
  void content_sent();

  /// Call when the connection broke or is given up; `why` becomes the text of all undecided
  /// verdicts. `end_of_data_sent`: the break came while the content was being written, and its last
  /// octets may have been sent.
  void lost(mail::EnhancedStatus status, std::string why, bool end_of_data_sent = false);

  /// Appends QUIT to the output. The reply need not be awaited.
  void quit();

  /// How many complete replies were received.
  std::size_t replies() const { return replies_; }

  /// One per recipient, in the order given. Precondition: step() is Done or Closed.
  const std::vector<Verdict>& verdicts() const { return fates_.verdicts(); }

  /// Whether the content goes to this recipient, by position. Precondition: step() is Content.
  bool is_to_receive(std::size_t recipient) const { return fates_.is_to_receive(recipient); }

  /// Why the session ended. Precondition: step() is Closed.
  const Verdict& failure() const { return failure_; }

  /// Another transaction may follow on this connection: replies still match commands. begin() sends
  /// RSET first, unless the last end of data was answered 2xx.
  bool reusable() const { return step_ == Step::Done && parser_.idle() && !out_of_step_; }

  const Extensions& extensions() const { return offered_; }

 private:
  enum class Await {
    Banner,
    Ehlo,
    Helo,
    StartTls,
    Reset,
    MailFrom,
    RcptTo,
    Data,
    EndOfData,
    LoneDot,  ///< the end of data of a transaction without recipients
  };

  struct Expected {
    Await await;
    std::size_t recipient = 0;
  };

  static constexpr int kBadSequence = 503;

  static mail::Stage stage_of(Await await);

  void say(std::string_view line, Await await, std::size_t recipient = 0);
  void on_reply(const RemoteReply& reply, Expected expected);
  void on_greeting(const RemoteReply& reply, Await await);
  void on_envelope(const RemoteReply& reply, Expected expected);
  void on_recipient(const RemoteReply& reply, std::size_t recipient);
  void on_data(const RemoteReply& reply);
  Verdict blame_us(Verdict verdict);
  void greeted();
  void advance();
  bool say_next();
  void say_envelope();
  void fail(Verdict verdict);

  std::string hostname_;
  TlsUse tls_;
  bool encrypted_ = false;
  bool needs_reset_ = false;  ///< MAIL was sent, and no end of data was answered 2xx since
  bool out_of_step_ = false;  ///< a command in its right place was answered 503
  Step step_ = Step::Read;
  std::size_t replies_ = 0;
  Extensions offered_;
  ReplyParser parser_;
  std::string output_;
  std::deque<Expected> expected_;  ///< replies still to come, in order
  std::deque<Expected> unsaid_;    ///< commands of the transaction not yet sent

  ClientTransaction transaction_;
  RecipientFates fates_;
  Verdict failure_;
};

}  // namespace relay::smtp
