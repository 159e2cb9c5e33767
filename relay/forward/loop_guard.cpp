#include "relay/forward/loop_guard.hpp"

#include <string_view>

#include "relay/base/text.hpp"

namespace relay::forward {

namespace {

/// True when a Received field says "by <hostname>" followed by "(srs-relay)". Requiring our program
/// name keeps out fields of another mail server that had the same host name.
bool is_ours(std::string_view value, const std::string& hostname) {
  const std::string text = base::lower(mail::unfolded(value));
  std::size_t at = text.find("by " + hostname);
  if (at == std::string::npos) return false;
  const std::size_t end = at + 3 + hostname.size();
  if (at > 0 && text[at - 1] != ' ' && text[at - 1] != '\t') return false;
  if (end < text.size() && text[end] != ' ') return false;
  return text.find("(srs-relay)", end) != std::string::npos;
}

}  // namespace

std::optional<Rejection> LoopGuard::check(const mail::Header& header) const {
  std::uint32_t hops = 0;
  std::uint32_t own = 0;
  for (const mail::HeaderField& field : header.fields()) {
    if (!base::equal_ignoring_case(field.name, "Received")) continue;
    ++hops;
    if (!hostname_.empty() && is_ours(field.value, hostname_)) ++own;
  }
  if (own >= kMaxOwnHops) return Rejection{554, {5, 4, 6}, "Mail loop: seen here before"};
  if (hops > max_hops_) {
    return Rejection{554, {5, 4, 6}, "Too many hops, this looks like a loop"};
  }
  return std::nullopt;
}

}  // namespace relay::forward
