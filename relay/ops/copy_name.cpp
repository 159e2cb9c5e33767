#include "relay/ops/copy_name.hpp"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace relay::ops {

std::string copy_name(const mail::CopyId& copy) {
  return fmt::format("{}/{}", copy.message.to_string(), copy.index);
}

std::optional<mail::CopyId> parse_copy_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto id = mail::MessageId::parse(text.substr(0, slash));
  if (!id) return std::nullopt;
  if (slash == std::string_view::npos) return mail::CopyId{.message = *id, .index = UINT16_MAX};
  const std::string_view number = text.substr(slash + 1);
  std::uint16_t index = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return mail::CopyId{.message = *id, .index = index};
}

}  // namespace relay::ops
