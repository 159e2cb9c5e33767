// Greylisting in MemorySpool.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>

#include "relay/ports/greylist.hpp"
#include "tests/fakes/memory_core.hpp"

namespace relay::fakes {

class MemoryGreylist final : public ports::GreylistStore {
 public:
  MemoryGreylist(MemoryCore& core, std::size_t max_rows) : core_(core), max_rows_(max_rows) {}

  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> see(
      ports::GreylistKey key, ports::GreylistRules rules) override;

  std::size_t rows() const { return visitors_.size(); }

 private:
  struct Visitor {
    base::WallTime at;
    base::WallTime expires;
    std::uint32_t passes = 0;
    std::string counted_under;
  };

  using Order = std::set<std::pair<base::WallTime, std::string>>;

  ports::GreylistAnswer answer(const ports::GreylistKey& key, const ports::GreylistRules& rules);
  /// The visitor as the list knows it.
  std::optional<Visitor> visitor(const std::string& key) const;
  void keep(const std::string& key, Visitor visitor);

  void drop_one(Order& alike);

  Order& order_of(const Visitor& visitor) { return orders_.at(visitor.passes > 0 ? 1 : 0); }

  MemoryCore& core_;
  const std::size_t max_rows_;
  std::map<std::string, Visitor> visitors_;
  std::array<Order, 2> orders_;  ///< by end: who waits, who has passed
};

}  // namespace relay::fakes
