// The DNS tree walk (RFC 9989 §4.10) without lookups: the names to ask for, where the walk ends,
// and what its steps say about organisational domain and policy.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dmarc/record.hpp"

namespace relay::auth::dmarc {

inline constexpr std::size_t kMaxWalkQueries = 8;  // RFC 9989 §4.10

/// One name of the walk, and the record found there.
struct WalkStep {
  std::string domain;
  std::optional<Record> record;
};

/// The names to ask for, longest first: `domain`, then its parents. If it has more than eight
/// labels, parents with too many labels are skipped, so that there are at most kMaxWalkQueries
/// names.
std::vector<std::string> walk_names(const std::string& domain);

/// Whether the walk ends with this step: psd=y or psd=n.
bool ends_walk(const WalkStep& step);

/// The organisational domain found by a walk. `steps` are in order, the start of the walk first.
std::string organisational_domain(const std::vector<WalkStep>& steps);

/// The step whose record is the policy for the start of the walk: its own, else that of the
/// organisational domain, else that of the public suffix. Null: DMARC does not apply.
const WalkStep* applicable_step(const std::vector<WalkStep>& steps);

/// Whether `domain` is `ancestor` or below it.
bool is_within(std::string_view domain, std::string_view ancestor);

}  // namespace relay::auth::dmarc
