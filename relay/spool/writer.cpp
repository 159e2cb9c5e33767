#include "relay/spool/writer.hpp"

#include <algorithm>

#include <sched.h>

#include "relay/base/stderr_line.hpp"

namespace relay::spool {

using ports::SpoolError;

namespace {

constexpr std::size_t kMaxBatch = 512;
constexpr auto kIdle = std::chrono::seconds(1);
// After a commit shared by this many requests, wait kGather for more to share the next one.
// Measured: saves a tenth of the CPU time of a small message. A single client never waits.
constexpr std::size_t kBusyBatch = 4;
constexpr auto kGather = std::chrono::milliseconds(1);

/// Lets this thread, when woken, not preempt a shard. On an idle machine it still runs at once; on
/// a busy one, requests that shards make meanwhile share the next sync.
void let_others_go_first() {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);  // if not permitted, only slower
}

bool may_use_reserve(Kind kind) { return kind == Kind::Record || kind == Kind::Order; }

/// What a transaction of these requests counts as.
Busy busy_with(const std::vector<std::unique_ptr<Request>>& writes) {
  Busy busy = Busy::Note;
  for (const auto& request : writes) {
    if (request->kind() == Kind::Order) return Busy::Order;
    if (request->kind() != Kind::Note) busy = Busy::Mail;
  }
  return busy;
}

class Told final : public Request {
 public:
  Told(Kind kind, std::function<void()> work) : Request(kind), work_(std::move(work)) {}

  std::optional<SpoolError> work() override {
    work_();
    return std::nullopt;
  }

  void answer(std::optional<SpoolError> /*error*/) override {}

 private:
  const std::function<void()> work_;
};

}  // namespace

Writer::Writer(Transactions& transactions, DiskUpkeep& disk, const ports::Clock& clock, Chore chore)
    : transactions_(transactions), disk_(disk), clock_(clock), chore_(std::move(chore)) {}

Writer::~Writer() { stop(); }

void Writer::start() {
  thread_ = std::jthread([this] { run(); });
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Writer::finish() {
  if (poisoned()) return;
  try {
    disk_.finish();
  } catch (const DatabaseError& error) {
    failed_with(error);
  }
}

Writer::Work Writer::work() const {
  return {requests_.load(std::memory_order_relaxed), commits_.load(std::memory_order_relaxed)};
}

void Writer::tell(Kind kind, std::function<void()> work) {
  push(std::make_unique<Told>(kind, std::move(work)));
}

void Writer::push(std::unique_ptr<Request> request) {
  bool sleeps = false;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      lock.unlock();
      return request->answer(SpoolError::Stopping);
    }
    waiting_.push_back(std::move(request));
    sleeps = std::exchange(asleep_, false);
  }
  if (sleeps) wake_.notify_one();
}

void Writer::run() {
  let_others_go_first();
  Batch batch;
  while (next(batch)) {
    const bool idle = batch.empty();
    const bool orders = std::ranges::any_of(
        batch, [](const auto& request) { return request->kind() == Kind::Order; });
    serve(batch);
    do_chore_when_due();
    look_after_disk(idle     ? DiskUpkeep::Round::Idle
                    : orders ? DiskUpkeep::Round::AfterOrder
                             : DiskUpkeep::Round::Busy);
    batch.clear();
  }
}

/// Takes the waiting requests; an empty batch after kIdle. False: stopping, and none are left.
bool Writer::next(Batch& batch) {
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

/// All writing requests share one transaction. Reads run after its commit, so that nothing is seen,
/// and delivered, that is not durable yet.
void Writer::serve(Batch& batch) {
  Batch reads;
  Batch writes;
  for (auto& request : batch) {
    (request->kind() == Kind::Read ? reads : writes).push_back(std::move(request));
  }
  if (!writes.empty()) {
    const Stopwatch watch(clock_, metrics_.writer.at(busy_with(writes)));
    write(writes);
  }
  shared_last_ = writes.size();
  requests_.fetch_add(batch.size(), std::memory_order_relaxed);
  for (auto& request : writes) {
    request->answer(poisoned() ? std::optional(SpoolError::Poisoned) : request->failed);
  }
  if (!reads.empty()) read(reads);
}

void Writer::read(Batch& batch) {
  const Stopwatch watch(clock_, metrics_.writer.at(Busy::Read));
  for (auto& request : batch) {
    read(*request);
    request->answer(request->failed);
  }
}

void Writer::write(Batch& batch) {
  if (!poisoned() && disk_is_low()) {
    for (auto& request : batch) {
      if (!may_use_reserve(request->kind())) request->failed = SpoolError::Full;
    }
  }
  if (poisoned() || execute(batch)) return;
  // The database refused one of them: try each alone, so that it does not harm the others.
  for (auto& request : batch) {
    if (!poisoned() && !request->failed) attempt(*request);
  }
}

void Writer::read(Request& request) {
  try {
    request.failed = request.work();
  } catch (const DamagedValue&) {
    request.failed = SpoolError::Corrupt;
  } catch (const DatabaseError& error) {
    failed_with(error);
    request.failed = error.code == SQLITE_CORRUPT ? SpoolError::Corrupt : SpoolError::Poisoned;
  }
}

/// True: all of the batch is on stable storage, or was answered before. False: rolled back.
bool Writer::execute(Batch& batch) {
  try {
    const auto waits = [](const auto& request) { return !request->failed; };
    if (std::ranges::none_of(batch, waits)) return true;
    transactions_.begin(std::ranges::any_of(batch, [&](const auto& request) {
      return request->kind() != Kind::Note && waits(request);
    }));
    for (auto& request : batch) {
      if (!request->failed) request->failed = request->work();
    }
    transactions_.commit();
    commits_.fetch_add(1, std::memory_order_relaxed);
    return true;
  } catch (const DatabaseError& error) {
    failed_with(error);
  } catch (const DamagedValue&) {  // NOLINT(bugprone-empty-catch): write() finds which one
  }
  transactions_.roll_back();
  // Errors of the requests themselves are decided again when each is tried alone.
  for (auto& request : batch) {
    const bool by_disk = request->failed == SpoolError::Full && !may_use_reserve(request->kind());
    if (!by_disk) request->failed.reset();
  }
  return false;
}

void Writer::attempt(Request& request) {
  if (attempt_once(request) || request.failed != SpoolError::Full) return;
  if (!may_use_reserve(request.kind())) return;
  // A delivery must be recorded, or the message is sent again: use the reserve.
  try {
    disk_.use_reserve();
    attempt_once(request);
  } catch (const DatabaseError& error) {
    failed_with(error);
  }
}

/// True: done, or refused by its own work.
bool Writer::attempt_once(Request& request) {
  try {
    transactions_.begin(request.kind() != Kind::Note);
    request.failed = request.work();
    transactions_.commit();
    commits_.fetch_add(1, std::memory_order_relaxed);
    return true;
  } catch (const DamagedValue&) {
    request.failed = SpoolError::Corrupt;
  } catch (const DatabaseError& error) {
    failed_with(error);
    request.failed = error.code == SQLITE_FULL ? SpoolError::Full : SpoolError::Corrupt;
  }
  transactions_.roll_back();
  return false;
}

void Writer::failed_with(const DatabaseError& error) {
  if (is_fatal(error.code)) poison(error.what());
}

void Writer::poison(const std::string& why) {
  if (poisoned_.exchange(true, std::memory_order_acq_rel)) return;
  // The log may be on the failed disk; stderr is not.
  base::say_on_stderr(base::Severity::Error, "srs-relay: queue storage failed: " + why);
}

bool Writer::disk_is_low() {
  try {
    return disk_.is_low();
  } catch (const DatabaseError& error) {
    failed_with(error);
    return true;
  }
}

void Writer::look_after_disk(DiskUpkeep::Round round) {
  if (poisoned()) return;
  try {
    if (!disk_.is_log_long(round)) return;
    const Stopwatch watch(clock_, metrics_.writer.at(Busy::Checkpoint));
    disk_.look_round(round);
  } catch (const DatabaseError& error) {
    failed_with(error);
  }
}

/// Runs even if the disk is full, because it makes room; but it must not use the reserve.
void Writer::do_chore_when_due() {
  if (poisoned()) return;
  const base::SteadyTime now = clock_.steady();
  if (now - chore_done_at_ < chore_.every) return;
  chore_done_at_ = now;
  Told request(Kind::Note, chore_.work);
  attempt(request);
}

}  // namespace relay::spool
