// One SMTP connection from banner to close: reads lines, asks the machine what they mean, and gives
// the replies. What a recipient hears is the recipient gate's business, what becomes of content the
// content receiver's. Lives on one shard.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/base/published.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/content_receiver.hpp"
#include "relay/inbound/entrance.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/handshakes.hpp"
#include "relay/inbound/open_message.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/recipient_gate.hpp"
#include "relay/inbound/refusal_log.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/inbound/session_client.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::inbound {

class Session {
 public:
  /// The same for all sessions, and outlives them.
  struct Parts {
    ports::Clock& clock;
    const base::Published<Policy>& policy;
    const Gate& gate;  ///< tells of overload and drain
    Entrance& entrance;
    const ports::IntakeQueue& queue;  ///< tells whether mail can be stored at all
    ports::TlsAcceptor* tls;          ///< null: no certificate is configured
    Handshakes& handshakes;
    AbuseControl& abuse;
    RefusalLog& refusals;
    WasteGuard& waste;
    ResendGuard& resends;
    const RecipientGate& recipients;
    const ContentReceiver& content;
  };

  /// `place`: of the client that is connected.
  Session(const Parts& parts, base::Executor executor, std::unique_ptr<ports::Stream> stream,
          Gate::Ticket place);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the dialogue to its end and closes the connection. To be awaited once.
  base::Task<> run();

  /// For a drain, on the session's own shard: a client that keeps us waiting for a command outside
  /// a transaction hears 421 now. Anyone else hears it when the transaction is over, or after some
  /// seconds of silence.
  void hurry();

  /// For the end of a drain, on the session's own shard: a client that keeps us waiting, whatever
  /// for, hears 421 now. Not one whose message is being stored.
  void dismiss();

  /// When memory ran out in run(): what can still be said without any. Never throws.
  void abandon() noexcept;

  const base::Executor& executor() const { return connection_.executor(); }

  const mail::Client& client() const { return client_.of_session().named; }

  /// Nothing of this session runs on beyond it.
  base::SteadyTime ends_by() const { return connection_.session_end().at; }

 private:
  /// Hears for whom a balancer has opened the connection. The reply: why it is not served.
  base::Task<std::optional<smtp::Reply>> hear_balancer();
  /// What to say to a client that speaks before it has seen the banner.
  base::Task<std::optional<smtp::Reply>> objection_to_haste();
  /// The banner, or why there is none.
  base::Task<> greet();
  /// `refusal`: why there is none.
  void open_door(std::optional<smtp::Reply> refusal);
  base::Task<> next_step();
  base::Task<> await_command();
  base::Task<> carry_out(smtp::Action action);
  base::Task<> check_recipient(mail::ForwardPath forward_path);
  base::Task<> take_content();
  /// The client has said something after the 250 of the last message.
  void note_heard();
  base::Task<> begin_tls(const smtp::Reply& go_on);
  /// XCLIENT, XFORWARD.
  base::Task<> name_client(smtp::NameClient said);
  /// By the newest settings.
  bool is_gateway() const;
  /// A place of its own for the client, in that of who was here before.
  std::optional<smtp::Reply> change_place();
  /// Waits for a while, where all are taken; nullopt: none has become free.
  base::Task<std::optional<FairShare::Holding>> handshake_place();
  void end_tls(const smtp::Reply& why);
  void note_flood();

  smtp::Action on_front_line(const ReadBuffer::Line& line);
  void conclude(const smtp::Action& action);
  void follow_machine();
  std::optional<smtp::Reply> reason_to_leave() const;
  void log_refusal(std::string_view stage, const smtp::Reply& reply,
                   std::string_view forward_path = {});

  /// Precondition: a transaction is open.
  OpenMessage open_message();
  smtp::ServerOptions options() const;

  const Limits& limits() const { return limits_; }

  base::SteadyTime now() const { return parts_.clock.steady(); }

  const Parts& parts_;
  const std::shared_ptr<const Policy> policy_;  ///< what this session was promised
  Gate::Ticket place_;
  const ports::Endpoint local_;
  const ListenerPolicy& listener_;  ///< of policy_
  const Limits limits_;             ///< as they are at this listener
  ClientConnection connection_;
  SessionClient client_;
  smtp::ServerMachine machine_;
  std::uint32_t named_at_ = 0;  ///< the boundary of the machine behind which XFORWARD was said
  std::optional<Transaction> transaction_;
  base::Deadline command_end_;      ///< for the whole next command line, however it drips in
  std::optional<Unheard> unheard_;  ///< the last message accepted, until the client says more
  bool heard_anything_ = false;
};

}  // namespace relay::inbound
