#include "relay/mail/message.hpp"

#include <array>

namespace relay::mail {

std::string_view name(End end) {
  constexpr std::array<std::string_view, 8> kNames = {
      "", "delivered", "refused", "expired", "dropped", "returned", "dropped", "replaced"};
  return kNames.at(static_cast<std::size_t>(end));
}

std::string_view name(AliasMark mark) {
  constexpr std::array<std::string_view, 3> kNames = {"", "X-Original-To", "Delivered-To"};
  return kNames.at(static_cast<std::size_t>(mark));
}

std::string mark_field(const Route& route) {
  if (route.mark == AliasMark::None) return {};
  return std::string(name(route.mark)) + ": " + route.original.to_string() + "\r\n";
}

DeliveryAttempt attempt_on_entry(const Route& route, base::WallTime at) {
  DeliveryAttempt attempt;
  if (route.ended == End::None) return attempt;
  attempt.at = at;
  if (route.ended == End::Discarded) {
    attempt.status = {2, 0, 0};
    attempt.text = "its mail is thrown away";
  } else {
    attempt.status = {5, 2, 3};
    attempt.text = "the message is larger than this address takes";
  }
  return attempt;
}

std::string name(const Handling& handling) {
  std::string parts;
  const auto add = [&parts](bool given, std::string_view part) {
    if (!given) return;
    if (!parts.empty()) parts += '+';
    parts += part;
  };
  add(handling.seal, "sealed");
  add(handling.new_author, "new-author");
  add(handling.risk_pool, "risk");
  return parts.empty() ? "plain" : parts;
}

}  // namespace relay::mail
