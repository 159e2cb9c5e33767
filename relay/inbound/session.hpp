// One SMTP connection from banner to close: reads lines, asks the ServerMachine what they mean, and
// replies. ClientAdmission decides about the client, RecipientGate about recipients,
// ContentReceiver about content. Lives on one shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/base/published.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/client_admission.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/content_receiver.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/last_accepted.hpp"
#include "relay/inbound/open_message.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/recipient_gate.hpp"
#include "relay/inbound/refusal_log.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/inbound/start_tls.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::ports {
class IntakeQueue;
}

namespace relay::inbound {

class Session {
 public:
  /// Shared by all sessions; outlives them.
  struct Parts {
    ports::Clock& clock;
    const base::Published<Policy>& policy;
    const Gate& gate;                 ///< tells of overload and drain
    const ports::IntakeQueue& queue;  ///< for poisoned(): mail cannot be stored any more
    const ClientAdmission::Parts& admission;
    const StartTls& tls;
    RefusalLog& refusals;
    WasteGuard& waste;
    ResendGuard& resends;
    const RecipientGate& recipients;
    const ContentReceiver& content;
  };

  /// `number`: of this session, for the log. `place`: counted for the connected peer.
  Session(std::uint64_t number, const Parts& parts, base::Executor executor,
          std::unique_ptr<ports::Stream> stream, Gate::Ticket place);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the session to its end and closes the connection. To be awaited once.
  base::Task<> run();

  /// During a drain, again and again, on the session's own shard: a client that keeps us waiting
  /// outside a transaction gets 421 at once. Any other gets it when its transaction is over, or
  /// after Limits::command_overloaded of silence; a handshake, or a reply that the client does not
  /// read, is cut off after that time.
  void hurry();

  /// At the end of a drain, on the session's own shard: any client that keeps us waiting gets 421
  /// at once; one whose message is being stored does not.
  void dismiss();

  /// Called when run() ended for lack of memory: sends a last reply, allocating nothing. Never
  /// throws.
  void abandon() noexcept;

  const base::Executor& executor() const { return connection_.executor(); }

  const mail::Client& client() const { return admission_.client().of_session().named; }

  /// The session's deadline.
  base::SteadyTime ends_by() const { return connection_.session_end().at; }

 private:
  /// Says the banner, or the reason why there is none.
  base::Task<> greet();
  /// `refusal`: said in place of the banner.
  void open_door(std::optional<smtp::Reply> refusal);
  base::Task<> next_step();
  base::Task<> await_command();
  base::Task<> carry_out(smtp::Action action);
  base::Task<> check_recipient(mail::ForwardPath forward_path);
  base::Task<> take_content();
  base::Task<> begin_tls(const smtp::Reply& go_on);
  /// XCLIENT or XFORWARD.
  base::Task<> name_client(smtp::NameClient said);
  /// Says a 421 and ends the session.
  void turn_out(std::string_view stage, smtp::Reply reply);
  void note_flood();

  smtp::Action on_front_line(const ReadBuffer::Line& line);
  void conclude(const smtp::Action& action);
  void follow_machine();
  std::optional<smtp::Reply> reason_to_leave() const;
  void log_refusal(std::string_view stage, const smtp::Reply& reply,
                   std::string_view forward_path = {});
  void log_refusal_of_content(std::string_view stage, const smtp::Reply& reply);

  /// Precondition: a transaction is open.
  OpenMessage open_message();
  smtp::ServerOptions options() const;

  const Limits& limits() const { return limits_; }

  base::SteadyTime now() const { return parts_.clock.steady(); }

  const std::uint64_t number_;
  const Parts& parts_;
  const std::shared_ptr<const Policy> policy_;  ///< fixed; a transaction takes the newest
  Gate::Ticket place_;
  const ports::Endpoint local_;
  const ListenerPolicy& listener_;  ///< of policy_
  const Limits limits_;             ///< with those of the listener
  ClientConnection connection_;
  ClientAdmission admission_;
  smtp::ServerMachine machine_;
  std::uint32_t named_at_ = 0;  ///< machine_.boundaries() when XFORWARD was said
  std::unique_ptr<Transaction>
      transaction_;             ///< not inside: a session that waits between two has none
  base::Deadline command_end_;  ///< for the whole next command line, in however many pieces
  LastAccepted last_;
  bool heard_anything_ = false;
};

}  // namespace relay::inbound
