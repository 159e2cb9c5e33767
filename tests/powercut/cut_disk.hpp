// The possible contents of a disk after a power cut: everything synced, and any part of the rest.
//
// Rules of the disk: synced writes are there. Each other write may be there, or not, or in part, in
// units of 512 or 4096 octets, in any combination; the same for changes of size.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/powercut/simulated_disk.hpp"

namespace relay::powercut {

class CutDisk {
 public:
  explicit CutDisk(std::mt19937_64& random, Files durable = {})
      : random_(random), durable_(std::move(durable)) {}

  /// The operation outlives it. Facts are nothing to a disk.
  void advance(const Operation& operation);

  /// How an image is made from what is pending; further numbers are random subsets.
  enum Variant : unsigned { kNothing, kEverything, kFirstRandom };

  Files image(unsigned variant);

  bool is_settled() const { return pending_.empty(); }

 private:
  void apply(Files& files, const Operation& operation, std::size_t unit);

  std::mt19937_64& random_;
  Files durable_;
  std::map<std::string, std::vector<const Operation*>> pending_;
};

}  // namespace relay::powercut
