#include "relay/settings/rejection_text.hpp"

#include <string>

#include "relay/base/text.hpp"

namespace relay::settings {

std::optional<forward::Rejection> parse_rejection(std::string_view text) {
  if (text.size() < 5 || (text[0] != '4' && text[0] != '5') || !base::is_digit(text[1]) ||
      !base::is_digit(text[2]) || text[3] != ' ') {
    return std::nullopt;
  }
  forward::Rejection rejected;
  rejected.code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  std::string_view rest;
  const auto status = mail::EnhancedStatus::parse(text.substr(4), &rest);
  if (!status || status->klass != text[0] - '0' || rest.empty() || rest.size() > 400) {
    return std::nullopt;
  }
  for (const char c : rest) {
    if (c < ' ' || c > '~') return std::nullopt;
  }
  rejected.status = *status;
  rejected.text = std::string(rest);
  return rejected;
}

}  // namespace relay::settings
