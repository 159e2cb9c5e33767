// The store of the queue as a whole, for who opens and closes it. Its clients never see it: each is
// given its own port.
#pragma once

#include <cstdint>

namespace relay::base {
class Registry;
}

namespace relay::ports {

class ConsentQueue;
class DeliveryQueue;
class GreylistStore;
class IntakeQueue;
class OperatorQueue;
class TokenStore;
struct StoreReport;

/// Open from its construction to close(). Implementations pass tests/spool/store_contract_test.cpp,
/// and their ports the contract tests beside it.
class Store {
 public:
  virtual ~Store() = default;

  // All of one queue, and valid as long as the store, also after close().
  virtual IntakeQueue& intake() = 0;
  virtual DeliveryQueue& delivery() = 0;
  virtual OperatorQueue& operators() = 0;
  virtual ConsentQueue& consent() = 0;
  virtual TokenStore& tokens() = 0;
  virtual GreylistStore& greylist() = 0;

  /// As of its opening.
  virtual StoreReport report() const = 0;

  /// The octets that are left where it keeps mail; the highest number if that is unknown.
  /// Thread-safe.
  virtual std::uint64_t free_octets() const = 0;

  /// Adds what the store measures of itself, which lives as long as the store.
  virtual void add_to(base::Registry& registry) const = 0;

  /// True once Poisoned was returned by one of its ports. Thread-safe.
  virtual bool poisoned() const noexcept = 0;

  /// Finishes what was asked, and leaves a queue that the next process finds clean. Idempotent.
  /// Later requests are answered Stopping.
  virtual void close() = 0;
};

}  // namespace relay::ports
