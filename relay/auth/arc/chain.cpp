#include "relay/auth/arc/chain.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "relay/base/text.hpp"

namespace relay::auth::arc {

namespace {

enum class Kind : std::uint8_t { Results, Signature, Seal };

constexpr std::array<std::string_view, 3> kFieldNames = {"ARC-Authentication-Results",
                                                         "ARC-Message-Signature", "ARC-Seal"};

std::optional<Kind> kind_of(const mail::HeaderField& field) {
  const auto found = std::ranges::find_if(kFieldNames, [&](std::string_view name) {
    return base::equal_ignoring_case(field.name, name);
  });
  if (found == kFieldNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kFieldNames.begin());
}

std::optional<unsigned> instance_of(const mail::HeaderField& field, Kind kind) {
  return kind == Kind::Results ? instance_of_results(field.value) : instance_of_tags(field.value);
}

/// The fields of one instance that were found, at most one of each kind.
struct Found {
  std::array<std::optional<mail::HeaderField>, 3> fields;

  const std::optional<mail::HeaderField>& of(Kind kind) const {
    return fields.at(static_cast<std::size_t>(kind));
  }
};

/// All ARC fields by instance and kind, and the first problem with them.
struct Sorted {
  std::array<Found, kMaxInstances> found;  ///< by instance, from 1
  bool any = false;
  unsigned highest = 0;
  std::string problem;

  void blame(std::string why) {
    if (problem.empty()) problem = std::move(why);
  }

  void take(const mail::HeaderField& field, Kind kind) {
    any = true;
    const std::string_view name = kFieldNames.at(static_cast<std::size_t>(kind));
    const auto instance = instance_of(field, kind);
    if (!instance || *instance == 0) return blame(fmt::format("{} without instance", name));
    highest = std::max(highest, std::min(*instance, kMaxInstances + 1));
    if (*instance > kMaxInstances) return blame("more than 50 instances");
    auto& place = found.at(*instance - 1).fields.at(static_cast<std::size_t>(kind));
    if (place) return blame(fmt::format("two {} fields of instance {}", name, *instance));
    place = field;
  }
};

/// §5.2 step 3: cv=none in the first set, cv=pass in all others.
bool has_right_status(ChainStatus status, unsigned instance) {
  return status == (instance == 1 ? ChainStatus::None : ChainStatus::Pass);
}

std::expected<ArcSet, std::string> set_of(const Found& found, unsigned instance) {
  const auto problem = [instance](std::string_view why) {
    return std::unexpected(fmt::format("instance {}: {}", instance, why));
  };
  for (const Kind kind : {Kind::Results, Kind::Signature, Kind::Seal}) {
    if (!found.of(kind)) {
      return problem(fmt::format("no {}", kFieldNames.at(static_cast<std::size_t>(kind))));
    }
  }
  ArcSet set{.results = *found.of(Kind::Results),
             .signature = *found.of(Kind::Signature),
             .seal = *found.of(Kind::Seal)};
  auto seal = parse_seal(set.seal.value);
  if (!seal) return problem("ARC-Seal: " + seal.error());
  auto signature = parse_message_signature(set.signature.value);
  if (!signature) return problem("ARC-Message-Signature: " + signature.error());
  set.seal_tags = std::move(*seal);
  set.signature_tags = std::move(*signature);
  if (!has_right_status(set.seal_tags.status, instance)) {
    return problem(fmt::format("cv={}", name_of(set.seal_tags.status)));
  }
  return set;
}

}  // namespace

Chain Chain::collect(const std::vector<mail::HeaderField>& fields) {
  Sorted sorted;
  for (const mail::HeaderField& field : fields) {
    if (const auto kind = kind_of(field)) sorted.take(field, *kind);
  }
  Chain chain;
  chain.any_ = sorted.any;
  chain.instances_ = sorted.highest;
  chain.problem_ = std::move(sorted.problem);
  if (chain.instances_ == 0 || chain.instances_ > kMaxInstances) return chain;

  if (const auto& newest = sorted.found.at(chain.instances_ - 1).of(Kind::Seal)) {
    chain.newest_says_fail_ = status_of(newest->value) == ChainStatus::Fail;
    if (const auto seal = parse_seal(newest->value)) chain.last_sealer_ = seal->by.domain;
  }
  for (unsigned i = 1; i <= chain.instances_ && chain.problem_.empty(); ++i) {
    auto set = set_of(sorted.found.at(i - 1), i);
    if (set) {
      chain.sets_.push_back(std::move(*set));
    } else {
      chain.problem_ = std::move(set.error());
    }
  }
  if (!chain.problem_.empty()) chain.sets_.clear();
  return chain;
}

}  // namespace relay::auth::arc
