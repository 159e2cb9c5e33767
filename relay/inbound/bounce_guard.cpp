#include "relay/inbound/bounce_guard.hpp"

namespace relay::inbound {

namespace {

constexpr std::string_view kEverybody = "*";

base::Rate hourly(std::uint32_t count) { return {count, std::chrono::hours(1)}; }

// The rates are kept per network. An exempt client must not be counted there: at its rate the debts
// of its neighbours would be gone at once.

bool spend(FairRate& rates, const base::Origin& client, std::uint32_t count, base::SteadyTime now) {
  return count == BounceLimits::kAny || rates.take(client, hourly(count), now);
}

bool can_spend(FairRate& rates, const base::Origin& client, std::uint32_t count,
               base::SteadyTime now) {
  return count == BounceLimits::kAny || rates.allows(client, hourly(count), now);
}

}  // namespace

smtp::Reply BounceGuard::throttled() {
  throttled_.fetch_add(1, std::memory_order_relaxed);
  return {450, {4, 7, 1}, "Too many bounces, try again later"};
}

std::optional<smtp::Reply> BounceGuard::probe(const base::Origin& client,
                                              const BounceLimits& limits, base::SteadyTime now) {
  if (spend(probes_, client, limits.probes_per_client, now)) return std::nullopt;
  return throttled();
}

void BounceGuard::note_taker(const base::Origin& network, base::SteadyTime now) {
  takers_.note(network.network, now);
}

bool BounceGuard::guesses_last(const base::Origin& client, const BounceLimits& limits,
                               base::SteadyTime now) {
  return can_spend(bad_, client, limits.bad_per_client, now) &&
         bad_in_all_.allows(kEverybody, hourly(limits.bad_in_all), now);
}

void BounceGuard::charge_guess(const base::Origin& client, const BounceLimits& limits,
                               base::SteadyTime now) {
  if (!guesses_last(client, limits, now)) {
    bad_of_takers_.take(client, hourly(limits.bad_per_taker), now);
    return;
  }
  spend(bad_, client, limits.bad_per_client, now);
  bad_in_all_.take(kEverybody, hourly(limits.bad_in_all), now);
}

std::optional<smtp::Reply> BounceGuard::objection_to_guessable(const base::Origin& client,
                                                               const BounceLimits& limits,
                                                               base::SteadyTime now) {
  if (guesses_last(client, limits, now)) return std::nullopt;
  if (takers_.knows(client.network, now) &&
      bad_of_takers_.allows(client, hourly(limits.bad_per_taker), now)) {
    return std::nullopt;
  }
  return throttled();
}

bool BounceGuard::take_own(const base::Origin& client, const BounceLimits& limits,
                           base::SteadyTime now) {
  return spend(bad_, client, limits.bad_per_client, now) ||
         (takers_.knows(client.network, now) &&
          bad_of_takers_.take(client, hourly(limits.bad_per_taker), now));
}

std::optional<smtp::Reply> BounceGuard::note_guess(const base::Origin& client, bool guessable,
                                                   const BounceLimits& limits,
                                                   base::SteadyTime now) {
  if (guessable) {
    if (auto objection = objection_to_guessable(client, limits, now)) return objection;
    charge_guess(client, limits, now);
  } else if (!take_own(client, limits, now)) {
    return throttled();
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

std::optional<smtp::Reply> BounceGuard::take(const BounceAddress& bounce,
                                             const base::Origin& client, const BounceLimits& limits,
                                             base::SteadyTime now) {
  const auto per_address = hourly(limits.per_address);
  const auto per_sender = hourly(limits.per_sender);
  // Ask all limits before charging any: a sender over one limit must not use up the others.
  if (!addresses_.allows(bounce.address, per_address, now) ||
      !senders_.allows(bounce.sender, per_sender, now) ||
      !can_spend(clients_, client, limits.per_client, now)) {
    return throttled();
  }
  addresses_.take(bounce.address, per_address, now);
  senders_.take(bounce.sender, per_sender, now);
  spend(clients_, client, limits.per_client, now);
  if (bounce.weak && !spend(bad_, client, limits.bad_per_client, now)) {
    bad_of_takers_.take(client, hourly(limits.bad_per_taker), now);
  }
  taken_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

}  // namespace relay::inbound
