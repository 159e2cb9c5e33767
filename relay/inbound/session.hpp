// One SMTP connection from banner to close: carries octets between stream and machine, asks the
// planner about recipients, and leads content to acceptance. Owns all three; lives on one shard.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/base/task.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/read_buffer.hpp"
#include "relay/inbound/services.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/smtp/data_reader.hpp"
#include "relay/smtp/server_machine.hpp"

namespace relay::inbound {

class Session {
 public:
  /// `gate` tells of overload and drain; it and `services` outlive the session.
  Session(Services& services, const Gate& gate, base::Executor executor,
          std::unique_ptr<ports::Stream> stream);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the dialogue to its end and closes the connection. To be awaited once.
  base::Task<> run();

  /// For a drain, on the session's own shard: a client that keeps us waiting for a command outside
  /// a transaction hears 421 now. Anyone else hears it when the transaction is over.
  void hurry();

  /// When memory ran out in run(): what can still be said without any. Never throws.
  void abandon() noexcept;

  const base::Executor& executor() const { return executor_; }

  const mail::Client& client() const { return client_; }

  /// Nothing of this session runs on beyond it.
  base::SteadyTime ends_by() const { return session_end_.at; }

 private:
  /// Shared with a goodbye that may still be on its way when the session has ended.
  using SharedStream = std::shared_ptr<std::unique_ptr<ports::Stream>>;

  /// The banner, or why there is none.
  base::Task<> greet();
  base::Task<> next_step();
  base::Task<> await_command();
  base::Task<> carry_out(smtp::Action action);
  base::Task<> check_recipient(mail::ForwardPath forward_path);
  base::Task<std::optional<smtp::Reply>> recipient_objection(mail::ForwardPath forward_path);
  /// Why nothing is taken from this client, whoever it is for (session_abuse.cpp).
  base::Task<std::optional<smtp::Reply>> client_objection(const mail::ForwardPath& forward_path);
  /// Why a recipient that is ours has to wait.
  /// Enough copies wait already for a target that has not confirmed.
  base::Task<std::optional<smtp::Reply>> consent_objection(
      const forward::ResolvedRecipient& resolved);
  base::Task<std::optional<smtp::Reply>> admission_objection(
      const forward::ResolvedRecipient& resolved);
  /// Why a recipient that is ours does not fit into this transaction; charges bounces.
  std::optional<smtp::Reply> room_objection(const forward::ResolvedRecipient& resolved,
                                            const std::string& address);
  void begin_check();
  base::Task<forward::Resolution> resolve(mail::ForwardPath forward_path);
  base::Task<> take_content();
  /// Counts in `received` what came over the wire. False: the connection is over.
  base::Task<bool> read_content(smtp::DataReader& reader, Intake& intake, std::uint64_t& received);
  void charge_waste(std::uint64_t octets);
  base::Task<> begin_tls(const smtp::Reply& go_on);
  static base::Task<> say_goodbye(SharedStream stream, std::string wire, base::Deadline deadline);

  /// Writes pending replies, then reads what is there. False: the connection is over.
  base::Task<bool> read_more(base::Deadline deadline);
  base::Task<std::expected<std::size_t, ports::IoError>> read_in_pieces(base::Deadline deadline);
  base::Task<bool> flush(base::Deadline deadline);

  smtp::Action on_front_line(const ReadBuffer::Line& line);
  void conclude(const smtp::Action& action);
  void follow_machine();
  std::optional<smtp::Reply> reason_to_leave() const;
  void log_refusal(std::string_view stage, const smtp::Reply& reply,
                   std::string_view forward_path = {});

  const Limits& limits() const { return policy_->limits; }

  base::SteadyTime now() const { return services_.clock.steady(); }

  const std::string& network() const { return network_; }

  smtp::ServerOptions options() const;
  base::Deadline after(std::chrono::seconds span) const;
  base::Deadline read_deadline(std::chrono::seconds normal) const;

  Services& services_;
  const Gate& gate_;
  const base::Executor executor_;
  SharedStream stream_;                         ///< holds null after a failed handshake
  const std::shared_ptr<const Policy> policy_;  ///< what this session was promised
  const base::Deadline session_end_;
  mail::Client client_;
  const std::string network_;  ///< the client's, for what is counted per network
  smtp::ServerMachine machine_;
  std::optional<Transaction> transaction_;
  ReadBuffer buffer_;
  std::string replies_;         ///< not yet written: a pipelined group is answered in one write
  base::Deadline command_end_;  ///< for the whole next command line, however it drips in
  /// The last message accepted, until the client says anything after our 250.
  std::optional<std::pair<ResendKey, ports::CommitProof>> unheard_;
  bool heard_anything_ = false;
  bool awaiting_command_ = false;
  bool dismissed_ = false;  ///< a goodbye is under way; it owns the writing side
  bool over_ = false;
};

}  // namespace relay::inbound
