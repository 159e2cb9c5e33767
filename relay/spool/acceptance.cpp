#include "relay/spool/acceptance.hpp"

#include <algorithm>

namespace relay::spool {

using ports::SpoolError;

std::expected<void, SpoolError> Acceptance::accept(const ports::NewMessage& message,
                                                   const ContentCut& cut, base::WallTime now) {
  const bool awaits = std::ranges::any_of(
      message.routes, [](const mail::Route& route) { return !route.awaits.empty(); });
  // Check only what can be refused: most messages have neither a draft nor copies that await
  // consent.
  if (cut.appended > 0 || awaits) {
    if (messages_.is_known(message.message.id)) return {};
    if (const auto allowed = check(message, cut); !allowed) return allowed;
  }
  const bool is_new = messages_.insert(message, cut, now);
  if (is_new && !message.resend_key.empty()) {
    resends_.keep(message.message.id, message.resend_key, now);
  }
  for (const mail::SenderToken& token : message.tokens) tokens_.insert(token, now);
  const bool some_ended = std::ranges::any_of(
      message.routes, [](const mail::Route& route) { return route.ended != mail::End::None; });
  if (some_ended) settle(message, now);
  return {};
}

void Acceptance::settle(const ports::NewMessage& message, base::WallTime now) {
  const mail::MessageId& id = message.message.id;
  for (const mail::Route& route : message.routes) {
    const bool refused = route.ended == mail::End::Refused;
    if (refused && message.owes_notices) {
      notices_.owe(id, route.index, ports::Notify::OfFailure, now);
    }
  }
  if (messages_.has_open(id)) return;
  if (!notices_.message_ended(id, now)) messages_.remove(id);
}

std::expected<void, SpoolError> Acceptance::check(const ports::NewMessage& message,
                                                  const ContentCut& cut) {
  if (!awaiting_.fits(message)) return std::unexpected(SpoolError::Unconfirmed);
  if (cut.appended > 0 && !contents_.is_draft(message.message.id, cut.appended)) {
    return std::unexpected(SpoolError::NotFound);
  }
  return {};
}

}  // namespace relay::spool
