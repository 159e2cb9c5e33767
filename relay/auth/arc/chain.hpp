// The Authenticated Received Chain of a message, as its header shows it (RFC 8617 §4.2, §5.2 steps
// 1 to 3). Pure: looks at form only, verifies no signature.
#pragma once

#include <string>
#include <vector>

#include "relay/auth/arc/tags.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::arc {

/// One ARC set: what one hop found, signed and sealed.
struct ArcSet {
  mail::HeaderField results;    ///< ARC-Authentication-Results
  mail::HeaderField signature;  ///< ARC-Message-Signature
  mail::HeaderField seal;       ///< ARC-Seal
  MessageSignature signature_tags;
  Seal seal_tags;
};

class Chain {
 public:
  /// `fields` must outlive the chain's views. Linear; a chain of 51 sets or more, or with a number
  /// that is none, is broken, not an error.
  static Chain collect(const std::vector<mail::HeaderField>& fields);

  /// No ARC field at all: cv=none.
  bool empty() const { return !any_; }

  /// Why the chain cannot be valid, one line of ours; "" when its form is good: sets 1 to N, each
  /// with exactly one of the three fields and sound tags, cv=none in the first, cv=pass in others.
  const std::string& problem() const { return problem_; }

  /// By instance, oldest first; empty when the form is not good.
  const std::vector<ArcSet>& sets() const { return sets_; }

  /// The highest instance that any field carries; kMaxInstances + 1 stands for all above.
  unsigned instances() const { return instances_; }

  /// The newest seal says cv=fail already: nobody need say it again (§5.1.2).
  bool newest_says_fail() const { return newest_says_fail_; }

  /// d= of the newest seal, folded; "" when it cannot be read.
  const std::string& last_sealer() const { return last_sealer_; }

 private:
  bool any_ = false;
  bool newest_says_fail_ = false;
  unsigned instances_ = 0;
  std::string problem_;
  std::string last_sealer_;
  std::vector<ArcSet> sets_;
};

}  // namespace relay::auth::arc
