// Addresses that name their message and copy: "o12-3@d1.example" is a good mailbox, and copy 3 of
// message 12; "s12@…" sent message 12; "m12-0@…" is the sender under which it leaves.
#include <charconv>

#include "tests/simulation/book.hpp"

namespace relay::simulation {

namespace {

/// The number at the beginning; takes it off.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::string recipient_address(const World& world, std::uint32_t message, std::uint16_t index,
                              const CopyPlan& copy) {
  return std::string(1, static_cast<char>(copy.kind)) + std::to_string(message) + '-' +
         std::to_string(index) + '@' + world.domains[copy.domain].name;
}

std::string hosted_domain(std::size_t target_domain) {
  return "hosted" + std::to_string(target_domain % 3) + ".example";
}

std::string alias_address(std::uint32_t message, const CopyPlan& copy) {
  return "a" + std::to_string(message) + '-' + std::to_string(copy.alias) + '@' +
         hosted_domain(copy.domain);
}

std::string sender_address(const World& world, std::uint32_t message, std::size_t domain) {
  return "s" + std::to_string(message) + '@' + world.domains[domain].name;
}

std::string rewritten_sender(std::uint32_t message, unsigned variant) {
  return "m" + std::to_string(message) + '-' + std::to_string(variant) + "@fwd.example";
}

std::optional<CopyName> key_of(std::string_view address) {
  if (address.empty()) return std::nullopt;
  const bool to_sender = address.front() == static_cast<char>(MailboxKind::Sender);
  address.remove_prefix(1);
  const auto message = take_number(address);
  if (!message) return std::nullopt;
  if (to_sender) return CopyName{*message, kToSender};
  if (!address.starts_with('-')) return std::nullopt;
  address.remove_prefix(1);
  const auto index = take_number(address);
  if (!index || *index >= kToSender) return std::nullopt;
  return CopyName{*message, static_cast<std::uint16_t>(*index)};
}

std::optional<std::uint32_t> message_of_sender(std::string_view address) {
  if (!address.starts_with('m')) return std::nullopt;
  address.remove_prefix(1);
  return take_number(address);
}

std::uint32_t reply_number(std::string_view text) {
  const std::size_t at = text.find("[r");
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + 2);
  return take_number(text).value_or(0);
}

}  // namespace relay::simulation
