// Tries to hand one message to one destination: chooses an address, keeps the connection for the
// next message, and says what became of each recipient. Records nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "relay/delivery/remote_session.hpp"

namespace relay::delivery {

/// Copies of one message for one destination that leave alike.
struct Consignment {
  std::shared_ptr<const mail::QueuedMessage> queued;
  std::vector<std::size_t> copies;  ///< positions in queued->recipients
  Destination destination;
  std::shared_ptr<const Policy> policy;
};

struct AttemptReport {
  std::vector<mail::Outcome> outcomes;  ///< one per copy
  bool unreachable = false;             ///< no server of the destination could be spoken to
  std::optional<ports::SpoolError> spool_error;  ///< instead of outcomes
  std::chrono::milliseconds connecting{0};
  std::chrono::milliseconds sending{0};
};

/// What delivering needs of the world. All outlive the delivery side.
struct DeliveryPorts {
  ports::Clock& clock;
  ports::Resolver& resolver;
  ports::Dialer& dialer;
  ports::Spool& spool;
};

class AttemptRunner {
 public:
  AttemptRunner(DeliveryPorts ports, Dice& dice)
      : ports_(ports), selection_(ports.resolver, dice) {}

  /// `content` is open. Ends within policy->timeouts.whole.
  base::Task<AttemptReport> run(Consignment consignment, ContentSource& content);

  base::Task<> close();

  bool connected() const { return session_.has_value(); }

 private:
  base::Task<std::optional<mail::Outcome>> connect(const Consignment& consignment,
                                                   base::Deadline whole, base::WallTime at);
  base::Task<bool> transact(const Consignment& consignment, std::vector<std::size_t> which,
                            const CopyHead& head, ContentSource& content, base::Deadline whole,
                            AttemptReport& report);
  smtp::ClientTransaction transaction_for(const Consignment& consignment,
                                          const std::vector<std::size_t>& which,
                                          const CopyHead& head, const ContentSource& content) const;

  DeliveryPorts ports_;
  MxSelection selection_;
  std::optional<RemoteSession> session_;
  std::size_t sent_ = 0;  ///< transactions on this connection
};

}  // namespace relay::delivery
