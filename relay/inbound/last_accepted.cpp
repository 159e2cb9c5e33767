#include "relay/inbound/last_accepted.hpp"

namespace relay::inbound {

/// A command after the 250 does not prove that the client has read it: pipelining clients send QUIT
/// together with the dot. Only when their TCP has acknowledged the 250 is the message forgotten;
/// one with a Message-ID may stay remembered without harm.
void LastAccepted::note_heard(const ClientConnection& connection) {
  if (!unheard_) return;
  if (unheard_->remembered && connection.unacknowledged() == 0) resends_.forget(unheard_->key);
  unheard_.reset();
}

base::Task<> LastAccepted::settle(ClientConnection& connection, const ports::Clock& clock) {
  if (!unheard_ || unheard_->remembered) co_return;
  const bool lost = co_await connection.has_lost_a_reply();
  if (lost) remember(clock.steady());
}

void LastAccepted::remember(base::SteadyTime now) {
  if (unheard_) resends_.remember(unheard_->key, unheard_->proof, now);
}

}  // namespace relay::inbound
