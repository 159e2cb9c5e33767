// The verdict on each recipient of a transaction, as replies come in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "relay/smtp/verdict.hpp"

namespace relay::smtp {

class RecipientFates {
 public:
  void begin(std::size_t count) { fates_.assign(count, {}), verdicts_.assign(count, {}); }

  /// RCPT was answered 2xx.
  void accept(std::size_t recipient) { fates_[recipient].accepted = true; }

  /// Keeps the first verdict: a later reply is only a consequence of it.
  void decide(std::size_t recipient, Verdict verdict) {
    if (std::exchange(fates_[recipient].decided, true)) return;
    verdicts_[recipient] = std::move(verdict);
  }

  void decide_rest(const Verdict& verdict) {
    for (std::size_t i = 0; i < fates_.size(); ++i) decide(i, verdict);
  }

  bool is_decided(std::size_t recipient) const { return fates_[recipient].decided; }

  bool is_to_receive(std::size_t recipient) const {
    return fates_[recipient].accepted && !fates_[recipient].decided;
  }

  bool all_decided() const { return std::ranges::all_of(fates_, &Fate::decided); }

  /// At least one recipient was accepted and is to receive the content.
  bool any_accepted() const {
    return std::ranges::any_of(fates_,
                               [](const Fate& fate) { return fate.accepted && !fate.decided; });
  }

  /// The server has accepted at least one recipient, even if a verdict exists on all of them.
  bool any_in_transaction() const { return std::ranges::any_of(fates_, &Fate::accepted); }

  /// One per recipient, in the order given.
  const std::vector<Verdict>& verdicts() const { return verdicts_; }

 private:
  struct Fate {
    bool accepted = false;
    bool decided = false;
  };

  std::vector<Fate> fates_;
  std::vector<Verdict> verdicts_;
};

}  // namespace relay::smtp
