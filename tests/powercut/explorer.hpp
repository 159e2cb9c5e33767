// The power-cut explorer (reliability.md §5.4): for every moment of a recorded life, the states the
// disk may be in after a cut, each opened as at a start and compared with what had been promised.
//
// Rules of the disk: what was synced is there. Of what was not, each write may be there, or not, or
// in part, in units of 512 or 4096 octets, in any combination; the same for changes of size.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "relay/spool/store.hpp"
#include "tests/powercut/workload.hpp"

namespace relay::powercut {

struct Verdict {
  std::uint64_t images = 0;
  std::uint64_t moments = 0;      ///< operations after which the power was cut
  std::uint64_t unopened = 0;     ///< images that the program refused
  std::uint64_t lost = 0;         ///< acknowledged, and gone
  std::uint64_t undone = 0;       ///< recorded as closed, and open again
  std::uint64_t damaged = 0;      ///< content or database not sound
  std::uint64_t tokens_lost = 0;  ///< an SRS address that leads nowhere
  std::uint64_t dsns_lost = 0;    ///< a failure without the DSN that belongs to it
  std::string example;            ///< of the first trouble

  bool good() const {
    return images > 0 && unopened + lost + undone + damaged + tokens_lost + dsns_lost == 0;
  }
};

class Explorer {
 public:
  Explorer(const Recording& recording, std::uint64_t seed);

  /// Spreads about `images` over all moments.
  Verdict explore(std::uint64_t images);

 private:
  struct Promises {
    std::map<base::Ulid, std::uint16_t> acknowledged;  ///< with the number of copies
    std::set<base::Ulid> tokens;
    std::set<std::pair<base::Ulid, std::uint16_t>> accepted;            ///< by the next hop
    std::map<std::pair<base::Ulid, std::uint16_t>, base::Ulid> ending;  ///< and its DSN
    std::set<std::pair<base::Ulid, std::uint16_t>> recorded;
  };

  using Pending = std::vector<const Operation*>;

  void advance(const Operation& operation);
  Files image(unsigned variant);
  void apply(Files& files, const Operation& operation, std::size_t unit);
  void judge(Files files);
  void judge_message(const base::Ulid& id, std::uint16_t copies, spool::Store& store);
  void judge_completions(spool::Store& store);
  void forget_finished(const base::Ulid& id);
  bool all_ended(const base::Ulid& id, std::uint16_t copies) const;
  void trouble(std::uint64_t& counter, const std::string& what);

  const Recording& recording_;
  std::mt19937_64 random_;
  SimulatedDisk disk_;
  Files durable_;
  std::map<std::string, Pending> pending_;
  Promises promises_;
  Verdict verdict_;
  std::size_t moment_ = 0;
};

}  // namespace relay::powercut
