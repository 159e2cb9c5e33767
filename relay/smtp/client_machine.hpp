// The client side of SMTP (RFC 5321 §3) as a pure value: octets in, octets out, no socket, no
// clock. The caller writes take_output(), feeds what it reads, and looks at step(). It hears the
// fate of each recipient; which host to try next and when is not decided here.
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
  IfOffered,  ///< goes on in the clear when it is not offered or refused
  Required,   ///< otherwise the session fails
};

class ClientMachine {
 public:
  enum class Step {
    Read,      ///< write the output, then feed what the remote says
    StartTls,  ///< hand the stream over, then tls_started(), or give the connection up
    Ready,     ///< greeted, nothing under way: begin() or quit()
    Content,   ///< write the content with its end of data, then content_sent()
    Done,      ///< the transaction ended: verdicts(); then begin() if reusable(), or quit()
    Closed,    ///< the session failed or ended: failure(); verdicts() if one was under way
  };

  /// `hostname`: our name, said in EHLO. The banner is what is read first.
  ClientMachine(std::string hostname, TlsUse tls);

  Step step() const { return step_; }

  /// The stage whose reply is awaited: it chooses the deadline (RFC 5321 §4.5.3.2).
  mail::Stage stage() const;

  /// Octets to write now; empties the buffer.
  std::string take_output();

  void feed(std::string_view octets);

  /// After the handshake: all that was learnt in the clear is forgotten (RFC 3207 §4.2).
  void tls_started();

  /// Precondition: step() is Ready, or Done and reusable().
  void begin(ClientTransaction transaction);

  /// The content and its end of data are written. Precondition: step() is Content.
  void content_sent();

  /// The connection broke, or we break it; `why` becomes the text of what is still undecided.
  /// `end_of_data_sent` tells of a break while the content was being written: whether its last
  /// octets may have left us.
  void lost(mail::EnhancedStatus status, std::string why, bool end_of_data_sent = false);

  /// Puts QUIT into the output. The reply need not be awaited.
  void quit();

  /// How many replies were heard to their end.
  std::size_t replies() const { return replies_; }

  /// One per recipient, in the order given. Precondition: step() is Done or Closed.
  const std::vector<Verdict>& verdicts() const { return fates_.verdicts(); }

  /// Whether the content is for this recipient, by position. Precondition: step() is Content.
  bool is_to_receive(std::size_t recipient) const { return fates_.is_to_receive(recipient); }

  /// Why the session is over. Precondition: step() is Closed.
  const Verdict& failure() const { return failure_; }

  /// Another transaction may follow on this connection: the dialogue is in step, and a RSET
  /// precedes unless the last end of data was answered 2xx.
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
    LoneDot,  ///< the end of a transaction without recipients
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
  bool needs_reset_ = false;  ///< MAIL was said, and no end of data answered 2xx since
  bool out_of_step_ = false;  ///< 503 was said to a command in its place
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
