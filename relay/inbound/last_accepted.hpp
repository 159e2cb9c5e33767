// The last message that a session has accepted, until its client is known to have the 250. A client
// that has not will send the message again, and must not make a second copy of it.
#pragma once

#include <optional>
#include <utility>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/inbound/acceptance.hpp"
#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/ports/clock.hpp"

namespace relay::inbound {

class LastAccepted {
 public:
  /// The guard outlives this object.
  explicit LastAccepted(ResendGuard& resends) : resends_(resends) {}

  /// The answer to a message; nullopt: it was refused.
  void note(std::optional<Unheard> unheard) { unheard_ = std::move(unheard); }

  /// The client pipelined another message, so the last 250 stays unproven.
  void leave_unproven() { unheard_.reset(); }

  /// The client has sent something after the 250.
  void note_heard(const ClientConnection& connection);

  /// The connection has ended, and is not finished yet.
  base::Task<> settle(ClientConnection& connection, const ports::Clock& clock);

  /// The session ends at once, and nobody can be asked any more.
  void remember(base::SteadyTime now);

 private:
  ResendGuard& resends_;
  std::optional<Unheard> unheard_;
};

}  // namespace relay::inbound
