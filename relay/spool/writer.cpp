// The writer thread of SqliteSpool: batches, commits, failures, checkpoints.
#include <algorithm>
#include <cstdio>

#include <sched.h>

#include "relay/base/sabotage.hpp"
#include "relay/spool/spool_folder.hpp"
#include "relay/spool/sqlite_spool.hpp"

namespace relay::spool {

using ports::SpoolError;

namespace {

constexpr std::size_t kMaxBatch = 512;
constexpr std::int64_t kCheckpointPages = 2048;  // 16 MiB of 8 KiB pages
constexpr auto kIdle = std::chrono::seconds(1);
// When so many shared a commit, more are on their way: what comes within kGather shares the next
// one. Measured: a tenth of the CPU time of a small message. One client alone never waits for
// others.
constexpr std::size_t kBusyBatch = 4;
constexpr auto kGather = std::chrono::milliseconds(1);

/// Nothing that was promised can be relied on any more.
bool is_fatal(int code) {
  return code == SQLITE_IOERR || code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
         code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_NOMEM;
}

/// A wake-up of this thread does not drive a shard from its core. On an idle machine it runs at
/// once; on a busy one what the shards ask for meanwhile shares the next sync.
void let_others_go_first() {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);  // where it is forbidden, it is only slower
}

}  // namespace

void SqliteSpool::push(Request request) {
  bool sleeps = false;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      lock.unlock();
      return request.answer(SpoolError::Stopping);
    }
    waiting_.push_back(std::move(request));
    sleeps = std::exchange(asleep_, false);
  }
  if (sleeps) wake_.notify_one();
}

void SqliteSpool::run() {
  let_others_go_first();
  std::vector<Request> batch;
  while (next(batch)) {
    const bool idle = batch.empty();
    if (!idle) serve(batch);
    forget_expired_when_due();
    checkpoint_when_due(idle);
    shared_last_ = batch.size();
    batch.clear();
  }
}

/// What waits; nothing after kIdle. False: there is nothing more to come.
bool SqliteSpool::next(std::vector<Request>& batch) {
  std::unique_lock lock(mutex_);
  if (shared_last_ >= kBusyBatch) wake_.wait_for(lock, kGather, [this] { return stopping_; });
  asleep_ = true;
  wake_.wait_for(lock, kIdle, [this] { return stopping_ || !waiting_.empty(); });
  asleep_ = false;
  if (waiting_.empty() && stopping_) return false;
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxBatch));
  batch.assign(std::make_move_iterator(waiting_.begin()),
               std::make_move_iterator(waiting_.begin() + count));
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return true;
}

/// Everything that writes goes into one transaction; readers come after the commit, so that nobody
/// sees, and delivers, what is not yet durable.
void SqliteSpool::serve(std::vector<Request>& batch) {
  std::vector<Request> reads;
  std::vector<Request> writes;
  for (Request& request : batch) {
    (request.kind == Kind::Read ? reads : writes).push_back(std::move(request));
  }
  batch = std::move(writes);
  const bool low = disk_is_low();
  for (Request& request : batch) {
    if (poisoned()) {
      request.failed = SpoolError::Poisoned;
    } else if (low && request.kind != Kind::Record) {
      request.failed = SpoolError::Full;
    }
  }
  if (!batch.empty() && !execute(batch) && !poisoned()) {
    // One of them was refused by the database: each for itself, so that it harms no other.
    for (Request& request : batch) {
      if (!request.failed) attempt(request);
    }
  }
  requests_.fetch_add(batch.size() + reads.size(), std::memory_order_relaxed);
  for (Request& request : batch) {
    request.answer(poisoned() ? std::optional(SpoolError::Poisoned) : request.failed);
  }
  for (Request& request : reads) {
    try {
      request.failed = request.work(*store_);
    } catch (const DatabaseError& error) {
      if (is_fatal(error.code)) poison(error.what());
      request.failed = error.code == SQLITE_CORRUPT ? SpoolError::Corrupt : SpoolError::Poisoned;
    }
    request.answer(request.failed);
  }
}

/// True when all of the batch is on stable storage (or answered already). False: rolled back.
bool SqliteSpool::execute(std::vector<Request>& batch) {
  try {
    sync_commits(std::ranges::any_of(batch, [](const Request& request) {
      return request.kind != Kind::Note && !request.failed;
    }));
    connection_->execute("BEGIN IMMEDIATE");
    for (Request& request : batch) {
      if (!request.failed) request.failed = request.work(*store_);
    }
    connection_->execute("COMMIT");
    store_->committed(syncs_);
    commits_.fetch_add(1, std::memory_order_relaxed);
    return true;
  } catch (const DatabaseError& error) {
    if (is_fatal(error.code)) poison(error.what());
    roll_back();
    // A logical refusal inside a rolled-back batch is decided again when it is tried alone.
    for (Request& request : batch) {
      const bool by_disk = request.failed == SpoolError::Full && request.kind != Kind::Record;
      if (!by_disk) request.failed.reset();
    }
    return false;
  }
}

void SqliteSpool::attempt(Request& request) {
  for (int round = 0; round < 2 && !poisoned(); ++round) {
    try {
      sync_commits(request.kind != Kind::Note);
      connection_->execute("BEGIN IMMEDIATE");
      request.failed = request.work(*store_);
      connection_->execute("COMMIT");
      store_->committed(syncs_);
      commits_.fetch_add(1, std::memory_order_relaxed);
      return;
    } catch (const DatabaseError& error) {
      if (is_fatal(error.code)) poison(error.what());
      roll_back();
      request.failed = error.code == SQLITE_FULL ? SpoolError::Full : SpoolError::Corrupt;
      if (error.code != SQLITE_FULL || request.kind != Kind::Record) return;
      // What a remote host has taken must be recorded, or it is sent again: use the reserve.
      release_reserve(options_.path);
      checkpoint();
    }
  }
}

void SqliteSpool::roll_back() {
  if (sqlite3_get_autocommit(connection_->raw()) == 0) {
    sqlite3_exec(connection_->raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  store_->rolled_back();
}

/// Without a sync the commit is in the log all the same, and the next that is synced takes it to
/// the disk with it: all before it is there, too.
void SqliteSpool::sync_commits(bool wanted) {
  if (wanted == syncs_ || base::sabotaged(base::Sabotage::SynchronousOff)) return;
  connection_->execute(wanted ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  syncs_ = wanted;
}

void SqliteSpool::poison(const std::string& why) {
  if (poisoned_.exchange(true, std::memory_order_acq_rel)) return;
  // The log may be on the disk that just failed; stderr is not.
  std::fprintf(stderr, "srs-relay: queue storage failed: %s\n", why.c_str());
}

/// The file never shrinks: what delivery has freed inside it is room, too, or a disk that was full
/// once would refuse mail for ever.
bool SqliteSpool::disk_is_low() {
  if (options_.min_free == 0) return false;
  if (free_octets(options_.path) >= options_.min_free + log_octets()) return false;
  // What is in the log may make the database grow when it is folded in. On a full disk neither
  // could be written any more, and even what was delivered could not be recorded: fold it in while
  // it fits.
  checkpoint();
  shrink_content();
  const std::uint64_t outside = free_octets(options_.path);
  return outside < log_octets() || outside + free_inside() < options_.min_free;
}

std::uint64_t SqliteSpool::log_octets() const {
  return static_cast<std::uint64_t>(wal_pages_) * kPageOctets;
}

std::uint64_t SqliteSpool::free_inside() const {
  const std::uint64_t slots = content_->free_octets();
  try {
    return slots + std::stoull(connection_->pragma("PRAGMA freelist_count")) * kPageOctets;
  } catch (const DatabaseError&) {
    return slots;
  }
}

void SqliteSpool::forget_expired_when_due() {
  if (options_.clock == nullptr || poisoned()) return;
  const base::SteadyTime now = options_.clock->steady();
  if (now - expired_checked_at_ < options_.token_round) return;
  expired_checked_at_ = now;
  Request request;
  request.kind = Kind::Record;  // makes room, so it may run when the disk is full
  request.work = [wall = options_.clock->wall()](Store& store) {
    store.remove_expired_tokens(wall);
    store.greylist().remove_expired(wall);
    return std::optional<SpoolError>();
  };
  attempt(request);
}

void SqliteSpool::checkpoint_when_due(bool idle) {
  if (poisoned()) return;
  if (wal_pages_ < kCheckpointPages && !(idle && wal_pages_ > 0)) return;
  checkpoint();
  if (!idle) return;
  shrink_content();
  make_reserve(options_.path);
}

/// Without room for it, the log stays as it is.
void SqliteSpool::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(connection_->raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if (code == SQLITE_OK) wal_pages_ = 0;
  if (is_fatal(code & 0xFF)) poison(sqlite3_errmsg(connection_->raw()));
}

void SqliteSpool::shrink_content() {
  try {
    content_->shrink();
  } catch (const DatabaseError& error) {
    if (is_fatal(error.code)) poison(error.what());
  }
}

}  // namespace relay::spool
