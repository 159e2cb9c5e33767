// The DNS tree walk (RFC 9989 §4.10) without the DNS: which names it asks, where it ends, and what
// its steps say about organisation and policy.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dmarc/record.hpp"

namespace relay::auth::dmarc {

inline constexpr std::size_t kMaxWalkQueries = 8;  // RFC 9989 §4.10

/// One name that was asked, and the record found there.
struct WalkStep {
  std::string domain;
  std::optional<Record> record;
};

/// The names to ask for, longest first: `domain`, then its parents; of more than eight labels the
/// left ones are passed over. At most kMaxWalkQueries, whatever the domain.
std::vector<std::string> walk_names(const std::string& domain);

/// Whether nothing above this step may be asked: psd=y or psd=n.
bool ends_walk(const WalkStep& step);

/// The organisational domain by the steps of a walk, in order; the first is where it started.
std::string organisational_domain(const std::vector<WalkStep>& steps);

/// The step whose record is the policy for where the walk started: its own, else that of its
/// organisational domain, else that of the public suffix. Null: DMARC does not apply.
const WalkStep* applicable_step(const std::vector<WalkStep>& steps);

/// Whether `domain` is `ancestor` or stands below it.
bool is_within(std::string_view domain, std::string_view ancestor);

}  // namespace relay::auth::dmarc
