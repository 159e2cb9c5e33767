#include "relay/mail/message.hpp"

#include <array>

namespace relay::mail {

std::string_view name(End end) {
  constexpr std::array<std::string_view, 6> kNames = {"",        "delivered", "refused",
                                                      "expired", "dropped",   "returned"};
  return kNames.at(static_cast<std::size_t>(end));
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
