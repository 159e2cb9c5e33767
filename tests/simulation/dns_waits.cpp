#include "tests/simulation/dns_waits.hpp"

#include <algorithm>

namespace relay::simulation {

namespace {

using namespace std::chrono_literals;

constexpr auto kQuick = 3s;  ///< the time of a first try

std::chrono::nanoseconds turns(std::size_t lanes, std::size_t places, std::chrono::seconds each) {
  return each * static_cast<std::int64_t>((lanes + places - 1) / places);
}

}  // namespace

DnsWaits::DnsWaits(const World& world)
    : domains_(world.domains),
      states_(world.domains.size(), State::Unknown),
      places_(world.settings.lookups),
      quick_(std::min<std::chrono::seconds>(kQuick, world.settings.dns_limit)),
      whole_(world.settings.dns_limit) {
  const auto silent = std::ranges::count_if(world.domains, &DomainPlan::silent);
  born_silent_ = static_cast<std::size_t>(silent);
}

void DnsWaits::answered(std::size_t domain, Answer answer) {
  State& state = states_[domain];
  // Its ordinary and its doubtful mail.
  if (answer == Answer::Silence && state != State::Silent && !domains_[domain].silent) {
    become_silent_ += 2;
  }
  if (answer == Answer::Silence) state = State::Silent;
  if (answer == Answer::Failed && state == State::Known) state = State::Unknown;
  if (answer == Answer::Found) state = State::Known;
}

void DnsWaits::process_died() { std::ranges::fill(states_, State::Unknown); }

std::chrono::nanoseconds DnsWaits::most(std::size_t domain) const {
  const std::size_t silent = born_silent_ + become_silent_;
  if (silent == 0) return 0s;
  const auto known = turns(become_silent_, places_, quick_);
  if (states_[domain] == State::Known) return known;
  const std::size_t for_unknown = std::max<std::size_t>(places_ - places_ / 2, 1);
  const auto unknown = known + turns(silent, for_unknown, quick_) + quick_;
  if (states_[domain] == State::Unknown) return unknown;
  return unknown + turns(silent, places_, whole_) + whole_;
}

}  // namespace relay::simulation
