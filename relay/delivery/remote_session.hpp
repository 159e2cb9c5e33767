// One connection to a remote server: carries octets between a Stream and the ClientMachine, and
// watches the clock. Decides nothing about mail.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/content_source.hpp"
#include "relay/delivery/copy_head.hpp"
#include "relay/delivery/mx_selection.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay::delivery {

class RemoteSession {
 public:
  RemoteSession(ports::Dialer& dialer, ports::Clock& clock, std::shared_ptr<const Policy> policy)
      : dialer_(dialer), clock_(clock), policy_(std::move(policy)) {}

  /// Connects and greets. nullopt: ready for send(). An opportunistic handshake that fails is
  /// forgiven once: the same address again, in the clear (T-3).
  base::Task<std::optional<smtp::Verdict>> open(Candidate remote, base::Deadline whole);

  /// One transaction: the head, then the content behind it. verdicts() tells of each recipient.
  /// An error is one of the spool: nothing has been handed over, the connection is closed.
  base::Task<std::expected<void, ports::SpoolError>> send(smtp::ClientTransaction transaction,
                                                          const CopyHead& head,
                                                          ContentSource& content,
                                                          const ports::Spool& spool,
                                                          base::Deadline whole);

  const std::vector<smtp::Verdict>& verdicts() const { return machine_->verdicts(); }

  bool reusable() const { return stream_ && machine_->reusable(); }

  /// Says QUIT where that is polite, and closes.
  base::Task<> quit();

  const Candidate& remote() const { return remote_; }

  const std::string& tls_version() const { return tls_version_; }

  const std::shared_ptr<const Policy>& policy() const { return policy_; }

 private:
  base::Task<std::optional<smtp::Verdict>> greet(smtp::TlsUse use, base::Deadline whole);
  base::Task<> converse(base::Deadline whole);
  base::Task<bool> start_tls(base::Deadline whole);
  base::Task<std::expected<void, ports::SpoolError>> send_content(const CopyHead& head,
                                                                  ContentSource& content,
                                                                  const ports::Spool& spool,
                                                                  base::Deadline whole);
  base::Deadline limit(mail::Stage stage, base::Deadline whole) const;
  base::Deadline limit(std::chrono::seconds span, base::Deadline whole) const;
  void drop(mail::EnhancedStatus status, std::string why, bool end_of_data_sent = false);

  ports::Dialer& dialer_;
  ports::Clock& clock_;
  std::shared_ptr<const Policy> policy_;
  Candidate remote_;
  std::unique_ptr<ports::Stream> stream_;
  std::optional<smtp::ClientMachine> machine_;
  std::string tls_version_;
  bool handshake_failed_ = false;
};

}  // namespace relay::delivery
