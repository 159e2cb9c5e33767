// The cost of a decision: the targets of one alias among many, and the way in which copies leave.
// The floor of a lookup is a bare one in a std::unordered_map with the same keys.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/base/text.hpp"
#include "relay/forward/alias_map.hpp"
#include "relay/forward/planner.hpp"
#include "relay/forward/policy.hpp"
#include "tests/bench/turns.hpp"
#include "tests/forward/house.hpp"

namespace {

using namespace relay;
using bench::take_turns;
namespace house = forward::house;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

std::string local_part(std::int64_t number) { return "user." + std::to_string(number); }

/// With so many aliases at hosted.example.
struct Town {
  explicit Town(std::int64_t aliases) : settings(house::policy()) {
    auto& all = settings.domains.front().aliases;
    all.reserve(static_cast<std::size_t>(aliases));
    while (std::ssize(all) < aliases) {
      const std::string local = local_part(std::ssize(all));
      all.push_back({.local_part = local,
                     .targets = {house::mailbox(local + "@target.example")},
                     .reject = {},
                     .keep_tag = {}});
      bare.emplace(local, std::ssize(all));
    }
    const auto shared = std::make_shared<const forward::Policy>(settings);
    map.emplace(*forward::AliasMap::make(shared));
    planner = *forward::Planner::make(shared, house::organisation_of);
    std::mt19937 random(4711);  // NOLINT(cert-msc51-cpp): the same addresses each time
    for (int i = 0; i < 4096; ++i) {
      const auto number = static_cast<std::int64_t>(random()) % (aliases - 1) + 1;
      asked.push_back(house::mailbox(local_part(number) + "@hosted.example"));
    }
  }

  forward::Policy settings;
  std::unordered_map<std::string, std::ptrdiff_t> bare;
  std::optional<forward::AliasMap> map;
  std::shared_ptr<const forward::Planner> planner;
  std::vector<mail::Mailbox> asked;  ///< all over the place, so that caches help as little as then
};

/// Made once each: the largest takes seconds.
const Town& town(std::int64_t aliases) {
  static std::map<std::int64_t, Town> towns;
  return towns.try_emplace(aliases, aliases).first->second;
}

/// Walks through the addresses, over and over.
class Next {
 public:
  explicit Next(const Town& town) : asked_(town.asked) {}

  const mail::Mailbox& operator()() { return asked_[at_++ % asked_.size()]; }

 private:
  const std::vector<mail::Mailbox>& asked_;
  std::size_t at_ = 0;
};

template <class Path>
void beside_bare_lookup(benchmark::State& state, const Town& here, Path path) {
  Next next(here);
  take_turns(state, 0, std::move(path), [&] {
    const auto found = here.bare.find(base::lower(next().local_part()));
    if (found == here.bare.end()) state.SkipWithError("not there");
    benchmark::DoNotOptimize(found);
  });
}

void find_alias(benchmark::State& state) {
  const Town& here = town(state.range(0));
  Next next(here);
  beside_bare_lookup(state, here, [&] {
    auto hit = here.map->find(next(), kNow);
    if (!hit) state.SkipWithError("refused");
    benchmark::DoNotOptimize(hit);
  });
}

/// From the forward-path to targets, aliases of aliases included.
void resolve(benchmark::State& state) {
  const Town& here = town(state.range(0));
  Next next(here);
  const auto sender = house::evidence().sender;
  beside_bare_lookup(state, here, [&] {
    auto found = here.planner->directory().resolve(mail::ForwardPath(next()), kNow);
    if (!std::holds_alternative<forward::ResolvedRecipient>(found)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(found);
  });
}

constexpr std::int64_t kFew = 10;
constexpr std::int64_t kMany = 100'000;
constexpr std::int64_t kMost = 1'000'000;

BENCHMARK(find_alias)->Arg(kFew)->Arg(kMany)->Arg(kMost)->UseManualTime();
BENCHMARK(resolve)->Arg(kFew)->Arg(kMany)->Arg(kMost)->UseManualTime();

void choose(benchmark::State& state, const forward::Evidence& evidence) {
  const forward::Strategy strategy = house::strategy(house::policy());
  const forward::DmarcSettings dmarc;
  take_turns(state, 0,
             [&] { benchmark::DoNotOptimize(strategy.choose(evidence, dmarc, "target.example")); });
}

RELAY_BENCH(choose, proven, house::evidence());
RELAY_BENCH(choose, spoof, house::spoof("author.example", mail::DmarcPolicy::Reject));

/// Routes, each with its SRS address, for one message.
void plan(benchmark::State& state, std::int64_t recipients) {
  const Town& here = town(kMany);
  const forward::Evidence evidence = house::evidence();
  Next next(here);
  std::vector<forward::ResolvedRecipient> resolved;
  while (std::ssize(resolved) < recipients) {
    resolved.push_back(std::get<forward::ResolvedRecipient>(
        here.planner->directory().resolve(mail::ForwardPath(next()), kNow)));
  }
  take_turns(state, 0, [&] {
    auto made = here.planner->plan(
        {mail::MessageId(), evidence.sender, std::string("192.0.2.1"), kNow}, resolved, evidence);
    if (!made) state.SkipWithError("refused");
    benchmark::DoNotOptimize(made);
  });
}

RELAY_BENCH(plan, one_recipient, 1);
RELAY_BENCH(plan, hundred_recipients, 100);

}  // namespace
