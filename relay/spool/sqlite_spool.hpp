// The durable queue on SQLite. One thread owns the one connection: it does all reading, all writing
// and all checkpoints, because SQLite's write-ahead log has a race between connections in the
// distribution's version, and because what waits together is committed with one sync.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "relay/ports/clock.hpp"
#include "relay/ports/spool.hpp"
#include "relay/spool/opened_database.hpp"

namespace relay::spool {

struct SpoolOptions {
  std::string path;            ///< the database; its folder is made when missing
  std::uint64_t min_free = 0;  ///< octets of disk below which nothing more is accepted
  TokenLimits tokens;
  std::int64_t greylist_rows = Greylist::kMaxRows;
  ports::Clock* clock = nullptr;          ///< null: what has expired is never removed
  std::chrono::seconds token_round{600};  ///< how often it is
  bool allow_network_file_system = false;
};

class SqliteSpool final : public ports::Spool {
 public:
  /// The error is a sentence: locked by another process, newer schema, damaged, network file
  /// system…
  static std::expected<std::unique_ptr<SqliteSpool>, std::string> open(SpoolOptions options);
  ~SqliteSpool() override;

  const OpenReport& report() const { return report_; }

  /// Finishes what is queued, folds the log into the database and closes. Idempotent. Requests
  /// that come later are answered Stopping.
  void close();

  /// For measuring group commit: requests answered and commits made so far.
  struct Work {
    std::uint64_t requests = 0;
    std::uint64_t commits = 0;
  };

  Work work() const;

  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                            std::uint32_t sequence,
                                                            std::string chunk) override;
  void discard(mail::MessageId draft) noexcept override;
  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override;
  base::Task<std::expected<mail::QueuedMessage, ports::SpoolError>> load(
      mail::MessageId id) override;
  base::Task<std::expected<std::string, ports::SpoolError>> read(mail::MessageId id,
                                                                 std::uint32_t sequence) override;
  base::Task<std::expected<void, ports::SpoolError>> record(ports::Update update) override;
  base::Task<std::expected<std::vector<mail::QueueItem>, ports::SpoolError>> due(
      base::WallTime until, std::optional<ports::QueueCursor> cursor, std::size_t limit) override;
  base::Task<std::expected<std::optional<base::WallTime>, ports::SpoolError>> next_due(
      base::WallTime after) override;
  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find_token(
      std::string token, base::WallTime now) override;
  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_since(base::WallTime since, std::size_t limit) override;
  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> greylist(
      ports::GreylistKey key, ports::GreylistRules rules, base::WallTime now) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string> addresses) override;
  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy> after, std::size_t limit) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy> copies, base::WallTime now) override;
  base::Task<std::expected<std::vector<ports::QueueRow>, ports::SpoolError>> list(
      ports::QueueFilter filter, std::optional<ports::QueueCursor> cursor,
      std::size_t limit) override;
  base::Task<std::expected<std::vector<ports::AttemptRow>, ports::SpoolError>> attempts(
      mail::MessageId id) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> change(ports::QueueFilter filter,
                                                                     ports::QueueAction action,
                                                                     base::WallTime now) override;
  base::Task<std::expected<ports::QueueTotals, ports::SpoolError>> totals() override;

  bool poisoned() const noexcept override { return poisoned_.load(std::memory_order_acquire); }

 private:
  enum class Kind {
    Read,
    Write,
    Record,  ///< may use the reserve when the disk is full
    Note,    ///< promises nothing: a commit of notes alone is not synced
  };

  /// One request: `work` runs on the writer thread, inside the transaction when it writes, and
  /// `answer` after the commit. An error instead of a result is given to `answer`.
  struct Request {
    Kind kind = Kind::Read;
    std::function<std::optional<ports::SpoolError>(Store&)> work;
    std::move_only_function<void(std::optional<ports::SpoolError>)> answer;
    std::optional<ports::SpoolError> failed;
  };

  explicit SqliteSpool(SpoolOptions options);

  std::expected<void, std::string> open_database();
  void push(Request request);
  void run();
  bool next(std::vector<Request>& batch);
  void serve(std::vector<Request>& batch);
  bool execute(std::vector<Request>& batch);
  void attempt(Request& request);
  void roll_back();
  void sync_commits(bool wanted);
  void poison(const std::string& why);
  bool disk_is_low();
  std::uint64_t log_octets() const;   ///< of the write-ahead log, not yet in the database
  std::uint64_t free_inside() const;  ///< octets of unused pages and slots
  void checkpoint_when_due(bool idle);
  void checkpoint();
  void shrink_content();
  void forget_expired_when_due();

  template <class T, class Work>
  base::Task<std::expected<T, ports::SpoolError>> ask(Kind kind, Work work);

  const SpoolOptions options_;
  OpenReport report_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<ContentFile> content_;
  std::unique_ptr<Store> store_;
  // Of the writer thread only.
  std::int64_t wal_pages_ = 0;
  base::SteadyTime expired_checked_at_;
  bool syncs_ = true;
  std::size_t shared_last_ = 0;  ///< requests of the last commit

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Request> waiting_;
  bool stopping_ = false;
  bool asleep_ = false;  ///< the writer waits for the first request
  std::atomic<bool> poisoned_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::jthread writer_;
};

}  // namespace relay::spool
