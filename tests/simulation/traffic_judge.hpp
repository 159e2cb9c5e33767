// Judges what the servers of the world saw, and keeps it for the judges of outcomes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/book.hpp"
#include "tests/simulation/pauses.hpp"
#include "tests/simulation/verdicts.hpp"
#include "tests/simulation/witness.hpp"

namespace relay::simulation {

struct ConnectionTruth {
  int host = -1;
  bool risk_pool = false;
  bool offers_tls = false;
  bool tried_tls = false;
  bool is_open = true;  ///< or being opened
  std::int64_t dialled_ms = 0;
  std::uint32_t transaction = 0;  ///< the latest
  base::SteadyTime replied_at;    ///< … to one of its commands
};

struct TransactionTruth {
  std::uint32_t connection = 0;
  std::optional<std::uint32_t> message;  ///< by its sender; nullopt: the null one
  std::vector<CopyName> keys;            ///< of its recipients, refused ones too
  std::vector<CopyName> taken;
  std::int64_t begun_ms = 0;
  base::SteadyTime dealt_at;  ///< when its session was given the message, at the earliest
  std::size_t group = SIZE_MAX;
  bool dot_open = false;    ///< the dot was heard, and its reply has not been said
  bool for_nobody = false;  ///< 354 was said although everybody had been refused
};

struct SaidTruth {
  std::uint32_t connection = 0;
  std::uint32_t transaction = 0;
  Step step = Step::Connect;
  int code = 0;
  std::string_view status;
  CopyName recipient = kNoCopy;
  unsigned accepted = 0;
};

/// The events of the traffic that a fairness judge needs.
class ActivityWatch {
 public:
  virtual ~ActivityWatch() = default;
  /// A connection that may serve these groups was used, and stays in use until then.
  virtual void active(std::uint32_t connection, base::SteadyTime until) = 0;
  virtual void serves(std::uint32_t connection, std::size_t group) = 0;
  virtual void dialling(std::uint32_t connection, int host, bool risk_pool) = 0;
  /// The server has heard the dot: the wait for its reply must not be ended.
  virtual void dot_may_be_written(std::uint32_t connection) = 0;
  /// Nothing will happen on it until the client gives up.
  virtual void fell_silent(std::uint32_t connection) = 0;
  virtual void ended(std::uint32_t connection, bool failed) = 0;
  /// A reply is on its way.
  virtual void replied(std::uint32_t connection, const Said& said) = 0;
};

class TrafficJudge final : public Witness {
 public:
  /// `activity` and `pauses` may be null.
  TrafficJudge(Book& book, Verdicts& verdicts, SimClock& clock, ActivityWatch* activity = nullptr,
               const Pauses* pauses = nullptr)
      : book_(book), verdicts_(verdicts), clock_(clock), activity_(activity), pauses_(pauses) {}

  void dialled(const Dialled& dialled) override;
  void failed_to_connect(std::uint32_t connection) override;
  void handshake(std::uint32_t connection, bool succeeded) override;
  void heard_mail(std::uint32_t connection, std::uint32_t transaction,
                  std::string_view sender) override;
  void heard_rcpt(std::uint32_t connection, std::uint32_t transaction,
                  std::string_view recipient) override;
  void heard_dot(std::uint32_t connection, std::uint32_t transaction, const Content& content,
                 const std::vector<std::string_view>& recipients, bool taken) override;
  void said(const Said& said) override;
  void fell_silent(std::uint32_t connection) override;
  void closed(const Closed& closed) override;
  void breached(std::uint32_t connection, Breach breach, std::string_view line) override;

  /// Null: no such reply was ever said.
  const SaidTruth* reply(std::uint32_t number) const;

  const TransactionTruth& transaction(std::uint32_t number) const { return transactions_[number]; }

  const ConnectionTruth& connection(std::uint32_t number) const { return connections_[number]; }

  /// The process is gone: messages whose dot it wrote without recording the outcome may be sent
  /// again.
  void process_died();

  /// From here on the domain has other hosts.
  void moved(std::size_t domain) { book_.moved_at[domain] = clock_.steady(); }

  /// The relay is being stopped, and may cut off what takes too long.
  void stopping(bool stopping) { stopping_ = stopping; }

  /// The outcome of a transaction was recorded, so every part of the relay may know it.
  void recorded(std::uint32_t transaction);

  /// The store's clock was moved, so due times have changed.
  void wall_jumped() { wall_jumped_ = true; }

  std::size_t attempts() const { return transactions_.size(); }

 private:
  struct LearntLimit {
    unsigned most = 0;
    bool heard = false;                 ///< by the client, for certain
    std::int64_t known_ms = INT64_MAX;  ///< to all of the relay, since when
    std::uint32_t connection = 0;
    std::uint32_t stated_in = 0;  ///< the transaction
    std::uint32_t checked = 0;    ///< the transaction that is bound by it; 0: none yet
  };

  CopyName first_of(const TransactionTruth& transaction) const;
  void check_recipient(ConnectionTruth& connection, TransactionTruth& transaction, CopyName key,
                       std::string_view recipient);
  void note_deal(const ConnectionTruth& connection, TransactionTruth& transaction);
  bool is_current(const TransactionTruth& transaction, std::size_t domain, std::size_t host) const;
  void check_when(const CopyTruth& copy, const TransactionTruth& transaction,
                  const std::string& host);
  void check_limit(std::uint32_t connection, std::uint32_t transaction);
  void learn_limit(const Said& said);
  void begin_content(const Said& said);
  void hear_limit(std::uint32_t connection, std::uint32_t transaction);
  void forget_wrong_limit(std::uint32_t transaction, std::size_t accepted);
  void note_refusal(const Said& said);
  void note_end(ConnectionTruth& connection);
  void take(CopyTruth& copy, std::uint32_t connection, TransactionTruth& transaction);

  void touch(std::uint32_t connection, std::chrono::milliseconds busy_for) {
    if (activity_ != nullptr) activity_->active(connection, clock_.steady() + busy_for);
  }

  Book& book_;
  Verdicts& verdicts_;
  SimClock& clock_;
  ActivityWatch* activity_;
  const Pauses* pauses_;
  std::vector<ConnectionTruth> connections_{1};
  std::vector<TransactionTruth> transactions_{1};
  std::vector<SaidTruth> replies_{1};
  std::vector<LearntLimit> limits_;  ///< by group
  bool stopping_ = false;
  bool wall_jumped_ = false;
};

}  // namespace relay::simulation
