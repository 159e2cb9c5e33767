#include "relay/mail/status.hpp"

#include <fmt/compile.h>

#include "relay/base/text.hpp"

namespace relay::mail {

std::string EnhancedStatus::to_string() const {
  return fmt::format(FMT_COMPILE("{}.{}.{}"), klass, subject, detail);
}

std::optional<EnhancedStatus> EnhancedStatus::parse(std::string_view text, std::string_view* rest) {
  std::uint16_t part[3] = {};
  std::size_t i = 0;
  for (int p = 0; p < 3; ++p) {
    const std::size_t begin = i;
    while (i < text.size() && base::is_digit(text[i]) && i - begin < 3) {
      part[p] = static_cast<std::uint16_t>(part[p] * 10 + (text[i] - '0'));
      ++i;
    }
    if (i == begin) return std::nullopt;
    if (p < 2 && (i >= text.size() || text[i++] != '.')) return std::nullopt;
  }
  if (part[0] != 2 && part[0] != 4 && part[0] != 5) return std::nullopt;
  if (i < text.size() && text[i] != ' ') return std::nullopt;
  if (rest) *rest = text.substr(i < text.size() ? i + 1 : i);
  return EnhancedStatus{part[0], part[1], part[2]};
}

}  // namespace relay::mail
