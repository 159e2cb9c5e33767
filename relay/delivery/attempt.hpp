// Tries to hand over one message to the hosts of a destination: chooses the host, keeps the
// connection for the next message, and reports what became of each copy. Records nothing.
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

/// Copies of one message in one lane that leave with the same octets and sender.
struct Consignment {
  std::shared_ptr<const mail::QueuedMessage> queued;
  std::vector<std::size_t> copies;  ///< positions in queued->recipients
  std::shared_ptr<const HostList> hosts;
  std::shared_ptr<const Policy> policy;
};

/// What became of one copy.
struct CopyResult {
  /// nullopt: the copy was not tried and is unchanged.
  std::optional<mail::Outcome> outcome;
  std::vector<mail::DeliveryAttempt> before;  ///< replies of hosts tried before, in order
  std::vector<mail::DeliveryAttempt> faults;  ///< replies that blame our sequence of commands
};

struct AttemptReport {
  std::vector<CopyResult> copies;  ///< in the order of Consignment::copies
  Feedback feedback;
  std::optional<ports::SpoolError> spool_error;  ///< applies to the copies without an outcome
  std::chrono::milliseconds connecting{0};
  std::chrono::milliseconds sending{0};
};

/// Asked whether these copies may still leave. `at_dot`: right before the end of data, after which
/// the server may take them.
using Gate = std::function<bool(const std::vector<std::uint16_t>& indices, bool at_dot)>;

/// The value of a limit that the server states (RFC 9422); 0: it states none.
inline std::size_t value_of(const std::optional<std::uint32_t>& limit) { return limit.value_or(0); }

/// What delivery needs from outside. All outlive the delivery side.
struct DeliveryPorts {
  ports::Clock& clock;
  ports::Resolver& resolver;
  ports::Dialer& dialer;
  ports::DeliveryQueue& queue;
};

/// The latest time until which an attempt that begins at `now` may be busy: steps begun before
/// Timeouts::whole have passed keep their own timeouts.
base::SteadyTime busy_until(const Consignment& consignment, base::SteadyTime now);

class AttemptRunner {
 public:
  AttemptRunner(DeliveryPorts ports, FailingHosts& failing, Place& place)
      : ports_(ports), failing_(failing), place_(place) {}

  ~AttemptRunner();
  AttemptRunner(const AttemptRunner&) = delete;
  AttemptRunner& operator=(const AttemptRunner&) = delete;

  /// `content` is open. Begins no connection after policy->timeouts.whole, and no transaction on
  /// one that has carried another; a connection that was begun in time carries one.
  base::Task<AttemptReport> run(Consignment consignment, ContentSource& content, Gate gate);

  base::Task<> close();

  /// The host of the open connection; nullopt: there is none that can be reused.
  std::optional<Candidate> connected_to() const;

 private:
  /// State of one attempt.
  struct Progress {
    const Consignment& consignment;
    const CopyHead& head;
    ContentSource& content;
    const Gate& gate;
    AttemptReport& report;
    std::vector<std::size_t> order;   ///< in which hosts are tried: positions in the list of hosts
    std::size_t next = 0;             ///< position in `order`
    std::optional<std::size_t> here;  ///< host of the current connection, or of the last one
    bool stays_here = false;          ///< the next connection goes to `here` again
    std::vector<std::size_t> asked;   ///< addresses, whether they answered or not; as in `order`
    std::size_t hosts_asked = 0;      ///< … and how many hosts they belong to
    bool reached = false;             ///< a host became ready for a transaction
    bool only_final = true;           ///< every host tried said that it never takes mail
    bool spared_others = false;       ///< a 421 about other recipients was no outcome; once
    base::SteadyTime ends_at;         ///< no connection or transaction begins after that
    std::vector<std::size_t> left;    ///< for the current host; positions in consignment.copies
    std::vector<std::size_t> moved;   ///< copies for the next host
  };

  bool fits(const Consignment& consignment) const;
  bool may_begin(const Progress& progress) const;
  static bool was_asked(const Progress& progress, std::size_t at);
  static void count_asked(Progress& progress, std::size_t at);
  static bool has_next(const Progress& progress);
  base::Task<bool> connect(Progress& progress);
  bool heed_failure(Progress& progress, const Candidate& host, const smtp::Verdict& failure);
  void give_up(Progress& progress);
  base::Task<bool> transact(Progress& progress);
  void judge(Progress& progress, const std::vector<std::size_t>& which);
  void heed_throttling(Progress& progress);
  smtp::NextStep judge_copy(Progress& progress, std::size_t copy, smtp::Verdict verdict,
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
  void note(Progress& progress, std::size_t copy, const smtp::Verdict& verdict) const;
  void forget_session();

  DeliveryPorts ports_;
  FailingHosts& failing_;
  Place& place_;
  std::optional<RemoteSession> session_;
  std::size_t sent_ = 0;        ///< transactions on this connection
  std::size_t untaken_ = 0;     ///< … of which no message was taken
  base::SteadyTime last_used_;  ///< when the last transaction ended
  base::WallTime at_;           ///< when the attempt began
  std::string domain_;          ///< domain of the targets of the last attempt
};

}  // namespace relay::delivery
