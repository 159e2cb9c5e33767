#include "relay/inbound/verification.hpp"

#include <memory>
#include <utility>

#include "relay/auth/message_check.hpp"

namespace relay::inbound {

void begin_check(ports::Resolver& resolver, ports::Clock& clock, const OpenMessage& message) {
  Transaction& transaction = message.transaction;
  if (!transaction.verifies() || transaction.check() != nullptr) return;
  const Client& client = message.client();
  auth::Arrival arrival{.client = client.address,
                        .helo = client.named.helo,
                        .reverse_path = message.envelope.reverse_path};
  transaction.begin_check(std::make_unique<auth::MessageCheck>(
      resolver, clock, message.executor, transaction.policy().check, std::move(arrival)));
}

}  // namespace relay::inbound
