#include "relay/inbound/rcpt_attempts.hpp"

#include <algorithm>
#include <string_view>

namespace relay::inbound {

namespace {

constexpr std::string_view kEverybody = "*";

/// The smaller count, and the slower pace. Precondition: no count is 0.
base::Rate lesser(const base::Rate& a, const base::Rate& b) {
  const std::uint64_t count = std::min(a.count, b.count);
  const auto seconds_for_count = [count](const base::Rate& rate) {
    const auto span = static_cast<std::uint64_t>(rate.span.count());
    return static_cast<std::int64_t>((count * span + rate.count - 1) / rate.count);
  };
  return {.count = static_cast<std::uint32_t>(count),
          .span = std::chrono::seconds(std::max(seconds_for_count(a), seconds_for_count(b)))};
}

/// A quarter of the total at most: then a wider network, which has twice the share, has half of it.
base::Rate share_of(const base::Rate& wanted, const base::Rate& total) {
  if (total.count == 0) return wanted;
  const base::Rate quarter{.count = std::max(total.count / 4, 1U), .span = total.span};
  return wanted.count == 0 ? quarter : lesser(wanted, quarter);
}

}  // namespace

std::optional<ShareLevel> RcptAttempts::take(const base::Origin& origin,
                                             const AttemptLimits& limits, base::SteadyTime now) {
  if (origin.network.empty()) return std::nullopt;
  const base::Rate client = share_of(limits.per_client, limits.total);
  const base::Rate network = share_of(limits.per_network, limits.total);
  // Ask all levels before charging one: a client over its limit must not use up the others.
  if (client.count > 0 && !clients_.allows(origin, client, now)) return ShareLevel::Client;
  if (network.count > 0 && !networks_.allows(origin, network, now)) return ShareLevel::Network;
  if (limits.total.count > 0) {
    const auto owes_much = [&] {
      return clients_.debt(origin, client, now) > kLittle ||
             networks_.debt(origin, network, now) > kLittle;
    };
    if (!everybody_.allows(kEverybody, limits.total, now) && owes_much()) {
      return ShareLevel::Everybody;
    }
    everybody_.charge(kEverybody, limits.total, now, 1);
  }
  if (client.count > 0) clients_.charge(origin, client, now, 1);
  if (network.count > 0) networks_.charge(origin, network, now, 1);
  return std::nullopt;
}

void RcptAttempts::give_back(const base::Origin& origin, std::uint32_t attempts,
                             const AttemptLimits& limits, base::SteadyTime now) {
  if (origin.network.empty() || attempts == 0) return;
  const base::Rate client = share_of(limits.per_client, limits.total);
  const base::Rate network = share_of(limits.per_network, limits.total);
  if (limits.total.count > 0) everybody_.give_back(kEverybody, limits.total, now, attempts);
  if (client.count > 0) clients_.give_back(origin, client, now, attempts);
  if (network.count > 0) networks_.give_back(origin, network, now, attempts);
}

}  // namespace relay::inbound
