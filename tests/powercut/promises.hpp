// The promises made up to a moment, and whether a queue keeps them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "relay/spool/opened_database.hpp"
#include "tests/powercut/simulated_disk.hpp"

namespace relay::powercut {

struct Verdict {
  std::uint64_t images = 0;
  std::uint64_t moments = 0;  ///< operations after which the power was cut
  std::uint64_t second_lives = 0;
  std::uint64_t unopened = 0;     ///< images that the program refused
  std::uint64_t lost = 0;         ///< acknowledged, and gone
  std::uint64_t undone = 0;       ///< recorded or ordered, and otherwise again
  std::uint64_t damaged = 0;      ///< content or database not sound
  std::uint64_t tokens_lost = 0;  ///< an SRS address that leads nowhere
  std::uint64_t dsns_lost = 0;    ///< a failure without the debt of a DSN, or a debt paid twice
  std::string example;            ///< of the first trouble

  std::uint64_t troubles() const {
    return unopened + lost + undone + damaged + tokens_lost + dsns_lost;
  }

  bool good() const { return images > 0 && troubles() == 0; }

  void trouble(std::uint64_t Verdict::* counter, const std::string& what);
  void add(const Verdict& other);
};

class Promises {
 public:
  void advance(const Fact& fact);

  /// Whether the message was acknowledged, and has not ended.
  bool knows(const base::Ulid& id) const { return messages_.contains(id); }

  /// Throws spool::DatabaseError and spool::DamagedValue.
  void judge(spool::OpenedDatabase& queue, Verdict& verdict) const;

 private:
  using State = Fact::State;
  using Key = std::pair<base::Ulid, std::uint16_t>;

  enum class Debt : std::uint8_t { None, MayBeOwed, Owed, MayBePaid, Paid };

  struct Copy {
    std::set<State> allowed{State::Waiting};
    Debt debt = Debt::None;
    base::Ulid dsn;
  };

  /// The contents of the tables.
  struct Rows {
    std::set<base::Ulid> messages;
    std::map<Key, State> copies;
    std::set<Key> notices;
    std::set<std::string> pauses;
    std::multiset<base::Ulid> remembered;
  };

  Copy* find(const Fact& fact);
  void forget_finished(const base::Ulid& id);
  static Rows rows_of(spool::Connection& connection);
  static void judge_state(const Copy& copy, State actual, const std::string& name,
                          Verdict& verdict);
  static void judge_debt(const Copy& copy, State actual, bool owed, bool told,
                         const std::string& name, Verdict& verdict);
  static void judge_content(const base::Ulid& id, spool::Tables& tables, Verdict& verdict);

  std::map<base::Ulid, std::vector<Copy>> messages_;  ///< that have not ended whole
  std::set<base::Ulid> ended_;
  std::set<base::Ulid> tokens_;
  std::set<base::Ulid> remembered_;  ///< known again if sent again, even when they have ended
  std::map<std::string, std::set<bool>> pauses_;  ///< may be on, may be off
};

}  // namespace relay::powercut
