#include "relay/spool/acceptance.hpp"

#include <algorithm>

namespace relay::spool {

using ports::SpoolError;

std::expected<void, SpoolError> Acceptance::accept(const ports::NewMessage& message,
                                                   const ContentCut& cut, base::WallTime now) {
  const bool awaits = std::ranges::any_of(
      message.routes, [](const mail::Route& route) { return !route.awaits.empty(); });
  // Most messages have nothing that could be refused.
  if (cut.appended > 0 || awaits || !message.tokens.empty()) {
    if (messages_.is_known(message.message.id)) return {};
    if (const auto allowed = check(message, cut); !allowed) return allowed;
  }
  messages_.insert(message, cut, now);
  for (const mail::SenderToken& token : message.tokens) tokens_.insert(token);
  return {};
}

std::expected<void, SpoolError> Acceptance::check(const ports::NewMessage& message,
                                                  const ContentCut& cut) {
  if (!tokens_.fit(message.tokens)) return std::unexpected(SpoolError::TokenQuota);
  if (!awaiting_.fits(message)) return std::unexpected(SpoolError::Unconfirmed);
  if (cut.appended > 0 && !contents_.is_draft(message.message.id, cut.appended)) {
    return std::unexpected(SpoolError::NotFound);
  }
  return {};
}

}  // namespace relay::spool
