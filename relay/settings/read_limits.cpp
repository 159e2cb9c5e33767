// [limits]: how much one client and one message may use.
#include <algorithm>

#include <fmt/format.h>

#include "relay/settings/limits.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

namespace {

constexpr std::uint64_t kMinHeader = 8UL << 10;  // octets; a lower limit would refuse ordinary mail

// The memory that one message may need: two chunks, one read and a header. With less, a network
// could not send large mail at all.
constexpr std::uint64_t kOneMessage = 1ULL << 20;

void read_memory(Section& section, Limits& limits) {
  section.size("memory", limits.memory);
  if (limits.memory < 2 * kOneMessage) {
    section.bad_value("memory", "must be at least \"2MiB\"");
  }
  limits.memory_per_network = std::max(limits.memory / 4, kOneMessage);
  section.size("memory_per_network", limits.memory_per_network);
  if (limits.memory_per_network < kOneMessage) {
    section.bad_value("memory_per_network", "must be at least \"1MiB\"");
  }
}

void read_header_limits(Section& section, Limits& limits) {
  section.size("max_header", limits.max_header);
  if (limits.max_header < kMinHeader || limits.max_header > mail::kMaxHeaderOctets) {
    section.bad_value("max_header", fmt::format("must be between \"{}KiB\" and \"{}KiB\"",
                                                kMinHeader >> 10U, mail::kMaxHeaderOctets >> 10U));
  }
  section.number("max_header_fields", limits.max_header_fields, 100, mail::kMaxHeaderFields);
}

}  // namespace

void read_limits(Section& root, Limits& limits) {
  auto section = root.table("limits");
  if (!section) return;
  section->size("max_size", limits.max_size);
  section->number("max_recipients", limits.max_recipients, 1, 10'000);
  section->number("max_hops", limits.max_hops, 10, 1000);
  read_header_limits(*section, limits);
  section->number("max_connections", limits.connections_total, 1, 1'000'000);
  section->number("per_ip", limits.connections_per_client, 1, 1'000'000);
  section->number("per_network", limits.connections_per_network, 1, 1'000'000);
  section->number("max_errors", limits.max_errors, 1, 10'000);
  section->number("max_junk", limits.max_junk, 1, 10'000);
  section->duration("command_timeout", limits.command);
  section->duration("data_timeout", limits.content);
  section->duration("session_timeout", limits.session);
  section->number("min_rate", limits.min_content_rate, 0, 1'000'000'000);
  section->rate("new_per_ip", limits.connections_from_client);
  section->rate("rcpts", limits.rcpts);
  section->rate("rcpts_per_ip", limits.rcpts_per_ip);
  section->rate("rcpts_per_network", limits.rcpts_per_network);
  read_memory(*section, limits);
  section->number("handshakes", limits.handshakes, 1, 100'000);
  section->rate("handshakes_per_ip", limits.handshakes_from_client);
  section->number("late_tls_messages", limits.late_tls_messages, 1, 1'000'000);
  section->size("wasted", limits.wasted);
  read_networks(*section, "exempt", limits.exempt);
  limits.exempt_at = section->place("exempt");
  section->finish();
}

}  // namespace relay::settings
