// The side that takes mail: what its sessions share, and who lets them in. Part of the composition
// root.
#pragma once

#include "relay/app/turned_away.hpp"
#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/base/watchdog.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/acceptor.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/inbound/handshakes.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/refusal_log.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/inbound/services.hpp"
#include "relay/inbound/waste_guard.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/delivery_feed.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/ports/signer.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ports {
class ConsentQueue;
class GreylistStore;
class IntakeQueue;
class TokenStore;
}  // namespace relay::ports

namespace relay::app {

class Reception {
 public:
  /// All must outlive the sessions.
  struct Uses {
    ports::Clock& clock;
    ports::IntakeQueue& queue;
    ports::TokenStore& tokens;
    ports::ConsentQueue& consent;
    ports::GreylistStore& greylist;
    ports::Signer& signer;
    ports::Resolver& resolver;
    ports::DeliveryFeed& feed;
    ports::TlsAcceptor& tls;
    base::Log& log;
    const base::Published<inbound::Policy>& policy;
    base::Watchdog& watchdog;
  };

  explicit Reception(const Uses& uses);

  inbound::Acceptor& acceptor() { return acceptor_; }

  const inbound::Acceptor& acceptor() const { return acceptor_; }

  const inbound::AbuseControl& abuse() const { return abuse_; }

  inbound::BounceGuard& bounces() { return bounces_; }

  const inbound::BounceGuard& bounces() const { return bounces_; }

  inbound::ResendGuard& resends() { return resends_; }

  inbound::RefusalLog& refusals() { return refusals_; }

  const inbound::RefusalLog& refusals() const { return refusals_; }

  TurnedAway& turned_away() { return turned_away_; }

 private:
  inbound::FairShare memory_;  ///< for content being received
  inbound::BounceGuard bounces_;
  inbound::ResendGuard resends_;
  inbound::RefusalLog refusals_;
  inbound::WasteGuard waste_;
  inbound::Handshakes handshakes_;
  inbound::AbuseControl abuse_;
  inbound::Services services_;
  inbound::Acceptor acceptor_;
  TurnedAway turned_away_;
};

}  // namespace relay::app
