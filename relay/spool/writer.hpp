// The one thread that uses the database: all reads, writes and checkpoints. One thread, because
// SQLite's write-ahead log has a race between connections in the distribution's version, and
// because requests that wait together are committed with one sync. Knows no mail.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/spool_error.hpp"
#include "relay/spool/disk_upkeep.hpp"
#include "relay/spool/metrics.hpp"

namespace relay::spool {

/// How a request relates to the disk.
enum class Kind {
  Read,    ///< answered after the commit of its batch
  Write,   ///< refused when the disk is low
  Record,  ///< may use the reserve when the disk is full
  Order,   ///< as Record; one of many slices, which dirty pages all over the database
  Note,    ///< promises nothing: a commit of notes alone is not synced
};

/// `work` runs on the writer's thread, for writes inside a transaction, and may run twice, each
/// time from the start. `answer` is called after the commit, with the error if there was one.
class Request {
 public:
  explicit Request(Kind kind) : kind_(kind) {}

  virtual ~Request() = default;

  Kind kind() const { return kind_; }

  virtual std::optional<ports::SpoolError> work() = 0;
  virtual void answer(std::optional<ports::SpoolError> failed) = 0;

  std::optional<ports::SpoolError> failed;

 private:
  const Kind kind_;
};

/// Periodic work that makes room, inside a transaction.
struct Chore {
  std::function<void()> work;
  std::chrono::seconds every{600};
};

class Writer {
 public:
  Writer(Transactions& transactions, DiskUpkeep& disk, const ports::Clock& clock, Chore chore);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  void start();

  /// Finishes queued requests; later ones are answered Stopping. Idempotent.
  void stop();

  /// After stop(): checkpoints the log, unless the disk cannot be trusted.
  void finish();

  /// Runs `work() -> expected<T, SpoolError>` on the thread and awaits its result. `work` may throw
  /// DatabaseError, or DamagedValue, which becomes Corrupt for this request only.
  template <class T, class Work>
  base::Task<std::expected<T, ports::SpoolError>> ask(Kind kind, Work work);

  /// The same without a result to await.
  void tell(Kind kind, std::function<void()> work);

  /// For measuring group commit: requests answered and commits made.
  struct Work {
    std::uint64_t requests = 0;
    std::uint64_t commits = 0;
  };

  Work work() const;

  const Metrics& metrics() const { return metrics_; }

  bool poisoned() const noexcept { return poisoned_.load(std::memory_order_acquire); }

  base::WallTime now() const noexcept { return clock_.wall(); }

 private:
  using Batch = std::vector<std::unique_ptr<Request>>;

  void push(std::unique_ptr<Request> request);
  void run();
  bool next(Batch& batch);
  void serve(Batch& batch);
  void write(Batch& batch);
  void read(Batch& batch);
  void read(Request& request);
  bool execute(Batch& batch);
  void attempt(Request& request);
  bool attempt_once(Request& request);
  void poison(const std::string& why);
  void failed_with(const DatabaseError& error);
  bool disk_is_low();
  void look_after_disk(DiskUpkeep::Round round);
  void do_chore_when_due();

  Transactions& transactions_;
  DiskUpkeep& disk_;
  const ports::Clock& clock_;
  const Chore chore_;
  // Only for the writer's thread.
  base::SteadyTime chore_done_at_;
  std::size_t shared_last_ = 0;  ///< requests in the last commit
  Metrics metrics_;

  std::mutex mutex_;
  std::condition_variable wake_;
  Batch waiting_;
  bool stopping_ = false;
  bool asleep_ = false;  ///< the thread waits for requests
  std::atomic<bool> poisoned_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::jthread thread_;
};

/// A request together with the continuation for its answer.
template <class T, class Work, class Resume>
class Asked final : public Request {
 public:
  Asked(Kind kind, Work work, Resume resume)
      : Request(kind), work_(std::move(work)), resume_(std::move(resume)) {}

  std::optional<ports::SpoolError> work() override {
    result_.emplace(work_());
    if (*result_) return std::nullopt;
    return result_->error();
  }

  void answer(std::optional<ports::SpoolError> error) override {
    if (error) {
      resume_(std::expected<T, ports::SpoolError>(std::unexpected(*error)));
    } else {
      resume_(std::move(*result_));
    }
  }

 private:
  Work work_;
  Resume resume_;
  std::optional<std::expected<T, ports::SpoolError>> result_;
};

template <class T, class Work>
base::Task<std::expected<T, ports::SpoolError>> Writer::ask(Kind kind, Work work) {
  return base::await_answer<std::expected<T, ports::SpoolError>>(
      [this, kind, work = std::move(work)](auto resume) mutable {
        using Resume = decltype(resume);
        push(std::make_unique<Asked<T, Work, Resume>>(kind, std::move(work), std::move(resume)));
      });
}

}  // namespace relay::spool
