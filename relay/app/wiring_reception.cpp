#include "relay/app/wiring_reception.hpp"

namespace relay::app {

Reception::Reception(const Uses& uses)
    : memory_(uses.clock),
      refusals_(uses.log, uses.resolver),
      handshakes_(uses.clock),
      abuse_(uses.resolver, uses.greylist, uses.clock, uses.log),
      services_{.clock = uses.clock,
                .queue = uses.queue,
                .tokens = uses.tokens,
                .consent = uses.consent,
                .signer = uses.signer,
                .resolver = uses.resolver,
                .feed = uses.feed,
                .tls = &uses.tls,
                .log = uses.log,
                .policy = uses.policy,
                .memory = memory_,
                .bounces = bounces_,
                .resends = resends_,
                .refusals = refusals_,
                .waste = waste_,
                .handshakes = handshakes_,
                .watchdog = uses.watchdog,
                .abuse = abuse_},
      acceptor_(services_),
      turned_away_(refusals_.troubles(), uses.log, uses.clock) {}

}  // namespace relay::app
