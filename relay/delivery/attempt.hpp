// Tries to hand over one message to the hosts of a destination: chooses the host, keeps the
// connection for the next message, and reports what became of each copy. Records nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/attempt_course.hpp"
#include "relay/delivery/failing_hosts.hpp"
#include "relay/delivery/remote_session.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::ports {
class DeliveryQueue;
}

namespace relay::delivery {

/// The value of a limit that the server states (RFC 9422); 0: it states none.
inline std::size_t value_of(const std::optional<std::uint32_t>& limit) { return limit.value_or(0); }

/// What delivery needs from outside. All outlive the delivery side.
struct DeliveryPorts {
  ports::Clock& clock;
  ports::Resolver& resolver;
  ports::Dialer& dialer;
  ports::DeliveryQueue& queue;
};

/// The latest end of an attempt that begins at `now`; steps begun in time keep their timeouts.
base::SteadyTime busy_until(const Consignment& consignment, base::SteadyTime now);

class AttemptRunner {
 public:
  AttemptRunner(DeliveryPorts ports, FailingHosts& failing, Place& place)
      : ports_(ports), failing_(failing), place_(place) {}

  ~AttemptRunner();
  AttemptRunner(const AttemptRunner&) = delete;
  AttemptRunner& operator=(const AttemptRunner&) = delete;

  /// `content` is open. Begins no connection after OutboundLimits::attempt_timeout, and no
  /// transaction on one that has carried another; a connection that was begun in time carries one.
  base::Task<AttemptReport> run(Consignment consignment, ContentSource& content, Gate gate);

  base::Task<> close();

  /// The host of the open connection; nullopt: there is none that can be reused.
  std::optional<Candidate> connected_to() const;

 private:
  bool fits(const Consignment& consignment) const;
  bool may_begin(const AttemptCourse& course) const;
  base::Task<bool> connect(AttemptCourse& course);
  bool heed_failure(AttemptCourse& course, const Candidate& host, const smtp::Verdict& failure);
  base::Task<bool> transact(AttemptCourse& course);
  void judge(AttemptCourse& course, const std::vector<std::size_t>& which);
  void heed_throttling(AttemptCourse& course);
  smtp::NextStep judge_copy(AttemptCourse& course, std::size_t copy, smtp::Verdict verdict,
                            std::vector<std::size_t>& again);
  std::size_t most_messages(const Consignment& consignment) const;
  std::size_t most_recipients(const AttemptCourse& course) const;
  bool was_stale(bool reused) const;
  bool was_one_too_many(bool reused) const;
  bool was_refused_in_the_clear() const;
  void note(AttemptCourse& course, std::size_t copy, const smtp::Verdict& verdict) const;
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
