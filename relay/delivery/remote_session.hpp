// One connection to a remote server: moves octets between a Stream and the ClientMachine, with
// timeouts. Decides nothing about mail.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/content_source.hpp"
#include "relay/delivery/copy_head.hpp"
#include "relay/delivery/host_list.hpp"
#include "relay/delivery/place.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay::ports {
class DeliveryQueue;
}

namespace relay::delivery {

/// Asked before each step after which the server may take the copies: before the envelope commands
/// and, with `at_dot`, right before the end of data. False: the copies must not leave.
using MayGoOn = std::function<bool(bool at_dot)>;

/// Why a transaction was ended by us before the end of data.
enum class SendTrouble {
  Withdrawn,  ///< the copies must not leave; the connection is closed
  Storage,    ///< the content cannot be read, or nothing may be sent: see `error`
};

struct SendFailure {
  SendTrouble trouble = SendTrouble::Storage;
  ports::SpoolError error = ports::SpoolError::Corrupt;
};

class RemoteSession {
 public:
  /// `place` must outlive the session.
  RemoteSession(ports::Dialer& dialer, ports::Clock& clock, std::shared_ptr<const Policy> policy,
                Place& place)
      : dialer_(dialer), clock_(clock), policy_(std::move(policy)), place_(place) {}

  /// Connects and greets. nullopt: ready for send(). If TLS fails before the greeting inside it and
  /// the demand allows, the same address is tried once more in the clear.
  base::Task<std::optional<smtp::Verdict>> open(Candidate remote);

  /// One transaction: the head, then the content. On success verdicts() has one entry per
  /// recipient; on failure nothing was handed over and the connection is closed.
  base::Task<std::expected<void, SendFailure>> send(smtp::ClientTransaction transaction,
                                                    const CopyHead& head, ContentSource& content,
                                                    const ports::DeliveryQueue& queue,
                                                    MayGoOn may_go_on);

  const std::vector<smtp::Verdict>& verdicts() const { return machine_->verdicts(); }

  /// At the end of data: whether the server accepted this recipient, by position.
  bool is_to_receive(std::size_t recipient) const { return machine_->is_to_receive(recipient); }

  bool reusable() const { return stream_ && machine_->reusable(); }

  const smtp::Extensions& offered() const { return machine_->extensions(); }

  /// Says QUIT if the connection is usable, and closes.
  base::Task<> quit();

  const Candidate& remote() const { return remote_; }

  const std::string& tls_version() const { return tls_version_; }

  /// Why this connection, or the previous one to the same address, was not encrypted.
  mail::TlsResult tls_result() const { return tls_result_; }

  /// The connection ended because the server was silent for too long, or because the wait was cut.
  bool timed_out() const { return timed_out_; }

  /// Why this host could not open the connection, independent of the server.
  std::optional<ports::IoError> trouble_here() const { return trouble_here_; }

  /// The connection is in the clear because TLS failed: refusals before DATA may be due to that, so
  /// they are not final.
  bool is_fallback() const { return is_fallback_; }

  const std::shared_ptr<const Policy>& policy() const { return policy_; }

 private:
  base::Task<std::optional<smtp::Verdict>> greet(smtp::TlsUse use);
  base::Task<> converse(const MayGoOn& may_go_on);
  base::Task<bool> start_tls();
  base::Task<std::expected<void, SendFailure>> send_content(const CopyHead& head,
                                                            ContentSource& content,
                                                            const ports::DeliveryQueue& queue,
                                                            const MayGoOn& may_go_on);
  base::Task<bool> write(const std::string& octets, base::Deadline deadline, bool with_dot = false);
  base::Deadline limit(mail::Stage stage);
  base::Deadline limit(std::chrono::seconds span);
  std::string why(ports::IoError error) const;
  void drop(ports::IoError error, bool end_of_data_sent = false);
  void drop(mail::EnhancedStatus status, std::string why, bool end_of_data_sent = false);

  ports::Dialer& dialer_;
  ports::Clock& clock_;
  std::shared_ptr<const Policy> policy_;
  Place& place_;
  Candidate remote_;
  std::unique_ptr<ports::Stream> stream_;
  std::optional<smtp::ClientMachine> machine_;
  std::string tls_version_;
  mail::TlsResult tls_result_ = mail::TlsResult::None;
  std::optional<ports::IoError> trouble_here_;
  bool tls_broke_ = false;  ///< in the handshake, or before the first reply inside TLS
  bool is_fallback_ = false;
  bool withdrawn_ = false;
  bool timed_out_ = false;
};

}  // namespace relay::delivery
