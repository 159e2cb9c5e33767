#include "relay/dns/lookup_queue.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <unbound.h>
#include <unistd.h>

#include "relay/base/timer.hpp"

namespace relay::dns {

namespace asio = boost::asio;
using ports::DnsError;

namespace {

constexpr int kClassIn = 1;
constexpr int kRcodeOk = 0;
constexpr int kRcodeNameError = 3;

// How much later than its deadline a call may end.
constexpr std::chrono::milliseconds kExpiryTick{100};

RawResult raw_result_of(int error, const ub_result* result) {
  if (error != 0 || result == nullptr) return std::unexpected(DnsError::Temporary);
  if (result->bogus != 0) return std::unexpected(DnsError::Bogus);
  if (result->nxdomain != 0 || result->rcode == kRcodeNameError) {
    return std::unexpected(DnsError::NoSuchName);
  }
  if (result->rcode != kRcodeOk) return std::unexpected(DnsError::Temporary);
  RawAnswer answer;
  answer.secure = result->secure != 0;
  answer.ttl = std::chrono::seconds(std::max(result->ttl, 0));
  // Bounded by the size of a DNS message, 64 KiB.
  for (std::size_t i = 0; result->havedata != 0 && result->data[i] != nullptr; ++i) {
    if (result->len[i] < 0) return std::unexpected(DnsError::Malformed);
    answer.records.emplace_back(result->data[i], static_cast<std::size_t>(result->len[i]));
  }
  if (answer.records.empty()) return std::unexpected(DnsError::NoData);
  return answer;
}

}  // namespace

struct LookupQueue::Question {
  LookupQueue* queue = nullptr;
  Entry* entry = nullptr;
  RecordType type = RecordType::A;
  int id = 0;  ///< libunbound's id of the question; 0: not asked yet
  std::optional<RawResult> result;
};

struct LookupQueue::Entry {
  Lookup lookup;
  std::vector<Question> questions;  // libunbound has pointers to the questions: never resize
  std::size_t open = 0;
  std::list<Entry>::iterator place;
};

struct LookupQueue::Watch {
  using Descriptor = asio::posix::basic_stream_descriptor<base::Executor>;

  // A duplicate, because libunbound closes the descriptor itself.
  Watch(LookupQueue& owner, int descriptor) : queue(owner), pipe(owner.home_, ::dup(descriptor)) {
    queue.watch_ = this;
  }

  ~Watch() { queue.watch_ = nullptr; }

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  LookupQueue& queue;
  Descriptor pipe;
};

LookupQueue::LookupQueue(asio::io_context& home, Context context)
    : home_(home.get_executor()), context_(std::move(context)) {}

LookupQueue::~LookupQueue() = default;

base::Task<> LookupQueue::watch(std::shared_ptr<LookupQueue> self) {
  if (self->closed_) co_return;
  Watch watch(*self, ::ub_fd(self->context_.get()));
  while (!self->closed_) {
    co_await watch.pipe.async_wait(Watch::Descriptor::wait_read, asio::as_tuple(base::use_task));
    if (!self->closed_) ::ub_process(self->context_.get());
  }
}

void LookupQueue::add(const std::shared_ptr<LookupQueue>& self, Lookup lookup) {
  LookupQueue& queue = *self;
  if (!queue.make_entry(lookup.types.size())) {
    lookup.results.resize(lookup.types.size(), std::unexpected(DnsError::Temporary));
    return lookup.answer(std::move(lookup.results));
  }
  Entry& entry = queue.entries_.front();
  entry.place = queue.entries_.begin();
  entry.lookup = std::move(lookup);
  entry.open = entry.questions.size();
  if (queue.closed_) return queue.give_up(entry, DnsError::Temporary);
  if (entry.lookup.is_over(std::chrono::steady_clock::now())) {
    return queue.give_up(entry, DnsError::Timeout);
  }
  // Asking the last question may complete the entry and free it.
  for (std::size_t i = 0, count = entry.open; i < count; ++i) {
    Question& question = entry.questions[i];
    question.queue = &queue;
    question.entry = &entry;
    question.type = entry.lookup.types[i];
    queue.ask(question);
  }
  if (queue.expiring_ || queue.entries_.empty()) return;
  queue.expiring_ = true;
  try {
    base::spawn_supervised(queue.home_, "dns deadlines", expire(self));
  } catch (const std::bad_alloc&) {
    queue.expiring_ = false;
    queue.give_up_all();  // nothing would end them
  }
}

/// Adds an entry with room for the questions to the front. False if there is no memory for it.
bool LookupQueue::make_entry(std::size_t questions) {
  std::list<Entry> made;
  try {
    made.emplace_front().questions.resize(questions);
  } catch (const std::bad_alloc&) {
    return false;
  }
  entries_.splice(entries_.begin(), made);
  return true;
}

void LookupQueue::give_up_all() {
  while (!entries_.empty()) give_up(entries_.front(), DnsError::Temporary);
}

void LookupQueue::ask(Question& question) {
  const int error = ::ub_resolve_async(context_.get(), question.entry->lookup.name.c_str(),
                                       static_cast<int>(question.type), kClassIn, &question,
                                       &on_answer, &question.id);
  if (error != 0) settle(question, std::unexpected(DnsError::Temporary));
}

void LookupQueue::on_answer(void* question, int error, ub_result* result) {
  auto& asked = *static_cast<Question*>(question);
  RawResult raw = std::unexpected(DnsError::Temporary);
  try {
    raw = raw_result_of(error, result);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): not through C frames
  }
  ::ub_resolve_free(result);
  asked.queue->settle(asked, std::move(raw));
}

void LookupQueue::settle(Question& question, RawResult result) {
  question.result = std::move(result);
  Entry& entry = *question.entry;
  if (--entry.open == 0) finish(entry);
}

void LookupQueue::give_up(Entry& entry, DnsError reason) {
  for (Question& question : entry.questions) {
    if (question.result) continue;
    // After ub_cancel(), libunbound does not call back.
    if (question.id != 0) ::ub_cancel(context_.get(), question.id);
    question.result = std::unexpected(reason);
  }
  finish(entry);
}

void LookupQueue::finish(Entry& entry) {
  std::vector<RawResult> results = std::move(entry.lookup.results);
  for (Question& question : entry.questions) {
    const RawResult& result = *question.result;
    const bool lost =
        !result && (result.error() == DnsError::Temporary || result.error() == DnsError::Timeout);
    if (!closed_) count(lost);
    results.push_back(std::move(*question.result));
  }
  auto answer = std::move(entry.lookup.answer);
  entries_.erase(entry.place);
  answer(std::move(results));
}

void LookupQueue::count(bool failed) {
  constexpr std::uint32_t kFewest = 10;
  const auto now = std::chrono::steady_clock::now();
  if (now - minute_.begins > std::chrono::minutes(1)) minute_ = {.begins = now};
  ++minute_.asked;
  if (failed) ++minute_.failed;
  // Questions that libunbound answers itself or from its cache succeed even when no server answers.
  const bool bad = failed && minute_.failed >= kFewest && 3 * minute_.failed > minute_.asked;
  if (bad) bad_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

std::optional<base::SteadyTime> LookupQueue::last_bad_minute() const {
  const auto at = bad_at_.load(std::memory_order_relaxed);
  if (at == 0) return std::nullopt;
  return base::SteadyTime(base::SteadyTime::duration(at));
}

// Ends calls whose deadline has passed; runs only while there are calls.
base::Task<> LookupQueue::expire(std::shared_ptr<LookupQueue> self) {
  // Asio destroys a coroutine instead of throwing if there is no memory to begin its wait.
  struct Expiring {
    LookupQueue& queue;

    ~Expiring() {
      queue.expiring_ = false;
      if (!queue.closed_) queue.give_up_all();
    }
  };

  const Expiring expiring{*self};
  try {
    base::Timer timer(self->home_);
    while (!self->entries_.empty()) {
      timer.expires_after(kExpiryTick);
      co_await timer.async_wait(asio::as_tuple(base::use_task));
      const auto now = std::chrono::steady_clock::now();
      for (auto at = self->entries_.begin(); at != self->entries_.end();) {
        Entry& entry = *at++;
        if (entry.lookup.is_over(now)) self->give_up(entry, DnsError::Timeout);
      }
    }
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): ~Expiring ends what waits
  }
}

void LookupQueue::close() {
  if (closed_) return;
  closed_ = true;
  give_up_all();
  if (watch_ != nullptr) watch_->pipe.close();
}

}  // namespace relay::dns
