// The greylist, as rows of the queue's database; bounded and shared as ports::GreylistStore
// describes. Not thread-safe; inside a transaction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "relay/base/time.hpp"
#include "relay/ports/greylist_visit.hpp"
#include "relay/spool/transactions.hpp"

namespace relay::spool {

class Greylist final : public Participant {
 public:
  static constexpr std::int64_t kMaxRows = 1'000'000;

  explicit Greylist(Connection& connection, std::int64_t max_rows = kMaxRows);

  /// Answers the visit and records it.
  ports::GreylistAnswer see(const ports::GreylistKey& key, const ports::GreylistRules& rules,
                            base::WallTime now);

  /// Removes up to a thousand of each kind.
  void remove_expired(base::WallTime now);

  /// The cached counts are wrong and are counted again.
  void rolled_back() override { counts_.fill(std::nullopt); }

 private:
  struct Row {
    std::int64_t at_ms = 0;   ///< first visit; for a network: the last pass that was counted
    std::int64_t passes = 0;  ///< 0: still waiting
    std::int64_t expires_ms = 0;
    std::string counted_under;

    bool passed() const { return passes > 0; }
  };

  /// Finds expired rows as well: put() replaces them.
  std::optional<Row> find(const std::string& key);
  void put(const std::string& key, const Row& row, const std::optional<Row>& before);
  /// Changes the counts of that kind and owner by `change`.
  void count(bool passed, const std::string& counted_under, std::int64_t change);
  void count_owner(bool passed, const std::string& counted_under, std::int64_t change);
  void keep_longer(const std::string& key, const Row& row, const ports::GreylistRules& rules,
                   std::int64_t now_ms);
  void count_pass(const ports::GreylistKey& key, const ports::GreylistRules& rules,
                  std::int64_t now_ms);
  std::int64_t& count_of(bool passed);
  void make_room(bool passed);
  /// Drops one row; returns whose it was. nullopt: there is none.
  std::optional<std::string> drop_one(bool passed);

  Connection& connection_;
  const std::int64_t max_rows_;
  std::array<std::optional<std::int64_t>, 2> counts_;  ///< waiting, passed; nullopt: unknown
  Statement select_, upsert_, count_, most_, count_of_owner_, forget_owner_, drop_first_,
      drop_first_of_, delete_expired_;
};

}  // namespace relay::spool
