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
  /// Linear. `fields` must outlive the views in the chain. A chain with an instance above 50 or an
  /// unreadable one is reported by problem(), not as an error.
  static Chain collect(const std::vector<mail::HeaderField>& fields);

  /// No ARC field at all: cv=none.
  bool empty() const { return !any_; }

  /// Why the chain cannot be valid, in one line of our own words; "" when it is well-formed: sets 1
  /// to N, each with exactly one of the three fields and valid tags, cv=none in the first and
  /// cv=pass in the others.
  const std::string& problem() const { return problem_; }

  /// By instance, oldest first; empty unless the chain is well-formed.
  const std::vector<ArcSet>& sets() const { return sets_; }

  /// The highest instance of any field; kMaxInstances + 1 stands for all higher numbers.
  unsigned instances() const { return instances_; }

  /// The newest seal already says cv=fail, so nobody needs to repeat it (§5.1.2).
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
