// Tries to hand one message to the hosts of one destination: chooses whom to ask, keeps the
// connection for the next message, and says what became of each recipient. Records nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "relay/delivery/failing_hosts.hpp"
#include "relay/delivery/group.hpp"
#include "relay/delivery/remote_session.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::delivery {

/// Copies of one message for one lane that leave alike.
struct Consignment {
  std::shared_ptr<const mail::QueuedMessage> queued;
  std::vector<std::size_t> copies;  ///< positions in queued->recipients
  std::shared_ptr<const HostList> hosts;
  std::shared_ptr<const Policy> policy;
};

/// What became of one copy.
struct CopyResult {
  /// nullopt: it was not tried, and is as it was.
  std::optional<mail::Outcome> outcome;
  std::vector<mail::DeliveryAttempt> before;  ///< what hosts asked earlier said, in order
  bool is_our_fault = false;  ///< the server complained of the order of our commands
  bool is_outdated = false;   ///< the operator has changed the copy since it was read
};

struct AttemptReport {
  std::vector<CopyResult> copies;  ///< in the order of Consignment::copies
  Feedback feedback;
  std::optional<ports::SpoolError> spool_error;  ///< decides about copies without an outcome
  std::chrono::milliseconds connecting{0};
  std::chrono::milliseconds sending{0};
};

/// May these copies go on? `at_dot`: from then on the server may take them.
using Gate = std::function<bool(const std::vector<std::uint16_t>& indices, bool at_dot)>;

/// A limit that a server states (RFC 9422); 0: it does not.
inline std::size_t value_of(const std::optional<std::uint32_t>& limit) { return limit.value_or(0); }

/// What delivering needs of the world. All outlive the delivery side.
struct DeliveryPorts {
  ports::Clock& clock;
  ports::Resolver& resolver;
  ports::Dialer& dialer;
  ports::DeliveryQueue& queue;
};

/// The latest moment at which an attempt that begins at `now` may still be busy: what it has begun
/// keeps its own limits.
base::SteadyTime busy_until(const Consignment& consignment, base::SteadyTime now);

class AttemptRunner {
 public:
  AttemptRunner(DeliveryPorts ports, FailingHosts& failing, Place& place)
      : ports_(ports), failing_(failing), place_(place) {}

  ~AttemptRunner();
  AttemptRunner(const AttemptRunner&) = delete;
  AttemptRunner& operator=(const AttemptRunner&) = delete;

  /// `content` is open. Begins nothing after policy->timeouts.whole.
  base::Task<AttemptReport> run(Consignment consignment, ContentSource& content, Gate gate);

  base::Task<> close();

  /// Where the open connection leads; nullopt: there is none.
  std::optional<Candidate> connected_to() const;

 private:
  /// One attempt on its way.
  struct Progress {
    const Consignment& consignment;
    const CopyHead& head;
    ContentSource& content;
    const Gate& gate;
    AttemptReport& report;
    std::vector<std::size_t> order;   ///< of asking: positions in the list of hosts
    std::size_t next = 0;             ///< in order
    std::optional<std::size_t> here;  ///< host of the connection, or of the one before
    bool stays_here = false;          ///< the next connection goes to the same host
    std::size_t dialled = 0;
    std::size_t spoken = 0;
    bool reached = false;            ///< a host could be spoken to
    bool only_final = true;          ///< every host asked said that it never takes mail
    base::SteadyTime ends_at;        ///< nothing is begun from then on
    std::vector<std::size_t> left;   ///< for the host at hand; positions in consignment.copies
    std::vector<std::size_t> moved;  ///< for the next host
  };

  bool fits(const Consignment& consignment) const;
  bool may_begin(const Progress& progress) const;
  base::Task<bool> connect(Progress& progress);
  bool heed_failure(Progress& progress, const Candidate& host, const smtp::Verdict& failure);
  void give_up(Progress& progress);
  base::Task<bool> transact(Progress& progress);
  void judge(Progress& progress, const std::vector<std::size_t>& which);
  void judge_copy(Progress& progress, std::size_t copy, smtp::Verdict verdict,
                  std::vector<std::size_t>& again);
  void adopt(Progress& progress) const;
  std::size_t most_messages(const Consignment& consignment) const;
  std::size_t most_recipients(const Progress& progress) const;
  bool was_stale(bool reused) const;
  bool was_one_too_many(bool reused) const;
  bool was_refused_in_the_clear() const;
  void drop_withdrawn(Progress& progress);
  smtp::ClientTransaction transaction_for(const Progress& progress,
                                          const std::vector<std::size_t>& which) const;
  std::vector<std::uint16_t> indices_of(const Consignment& consignment,
                                        const std::vector<std::size_t>& which) const;
  mail::Outcome outcome_of_verdict(const smtp::Verdict& verdict) const;
  void note(Progress& progress, std::size_t copy, mail::Outcome outcome) const;
  void forget_session();

  DeliveryPorts ports_;
  FailingHosts& failing_;
  Place& place_;
  std::optional<RemoteSession> session_;
  std::size_t sent_ = 0;        ///< transactions on this connection
  std::size_t untaken_ = 0;     ///< those of them that ended without a message taken
  base::SteadyTime last_used_;  ///< when the last one ended
  base::WallTime at_;           ///< of the attempt
  std::string domain_;          ///< of the targets last written to
};

}  // namespace relay::delivery
