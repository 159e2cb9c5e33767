// What this room needs from outside; the composition root provides it. Only Acceptor sees all of it
// and gives each part what that part needs. Outlives every session.
#pragma once

#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/base/watchdog.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/handshakes.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/refusal_log.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/delivery_feed.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/ports/signer.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ports {
class ConsentQueue;
class IntakeQueue;
class TokenStore;
}  // namespace relay::ports

namespace relay::inbound {

struct Services {
  ports::Clock& clock;
  ports::IntakeQueue& queue;
  ports::TokenStore& tokens;
  ports::ConsentQueue& consent;
  ports::Signer& signer;
  ports::Resolver& resolver;
  ports::DeliveryFeed& feed;
  ports::TlsAcceptor* tls;  ///< null: no certificate is configured
  base::Log& log;
  const base::Published<Policy>& policy;
  FairShare& memory;  ///< octets of content in memory
  BounceGuard& bounces;
  ResendGuard& resends;
  RefusalLog& refusals;
  WasteGuard& waste;
  Handshakes& handshakes;
  base::Watchdog& watchdog;
  AbuseControl& abuse;
};

}  // namespace relay::inbound
