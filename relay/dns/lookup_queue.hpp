// DNS questions under way in libunbound. Belongs to one shard, its home: libunbound is called only
// there, so that an answer cannot arrive while its question is being cancelled.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/ports/resolver.hpp"

struct ub_ctx;
struct ub_result;

namespace relay::dns {

enum class RecordType : int { A = 1, Ptr = 12, Mx = 15, Txt = 16, Aaaa = 28 };

/// The records of one type in the form libunbound delivers them; not empty.
struct RawAnswer {
  std::vector<std::string> records;
  bool secure = false;
  std::chrono::seconds ttl{0};  ///< the shortest TTL on the way to the records, CNAMEs included
};

using RawResult = std::expected<RawAnswer, ports::DnsError>;

/// One call of the resolver: a name and one or two record types, answered together.
struct Lookup {
  std::string name;
  std::vector<RecordType> types;
  base::SteadyTime ends_by;
  /// Set by the asking shard when its task is cut off; null if the call cannot be cut off.
  std::shared_ptr<const std::atomic<bool>> cut;
  /// Called once, on the home shard, with one result per type.
  std::move_only_function<void(std::vector<RawResult>)> answer;
  /// Reserved by the asking shard for one result per type, so that answering needs no memory
  /// allocation on the home shard.
  std::vector<RawResult> results = {};

  bool is_over(base::SteadyTime now) const { return now >= ends_by || (cut && cut->load()); }
};

/// Shared by the resolver and the tasks that run for it.
class LookupQueue {
 public:
  using Context = std::unique_ptr<ub_ctx, void (*)(ub_ctx*)>;

  LookupQueue(boost::asio::io_context& home, Context context);
  ~LookupQueue();
  LookupQueue(const LookupQueue&) = delete;
  LookupQueue& operator=(const LookupQueue&) = delete;

  base::Executor home() const { return home_; }

  /// Watches libunbound's descriptor until close(). Run once, on the home shard.
  static base::Task<> watch(std::shared_ptr<LookupQueue> self);

  /// On the home shard only.
  static void add(const std::shared_ptr<LookupQueue>& self, Lookup lookup);
  /// The last time at which a minute was bad: at least ten of its questions, and more than a third
  /// of them, had no answer at all; nullopt: never. From any thread.
  std::optional<base::SteadyTime> last_bad_minute() const;

  void close();  ///< answers all questions under way, and all later ones, with Temporary.

 private:
  struct Question;
  struct Entry;
  struct Watch;

  static void on_answer(void* question, int error, ub_result* result);
  static base::Task<> expire(std::shared_ptr<LookupQueue> self);

  void ask(Question& question);
  void settle(Question& question, RawResult result);
  bool make_entry(std::size_t questions);
  void give_up(Entry& entry, ports::DnsError reason);
  void give_up_all();
  void finish(Entry& entry);

  void count(bool failed);

  /// Counts of one minute; used on the home shard only.
  struct Minute {
    base::SteadyTime begins;
    std::uint32_t asked = 0;
    std::uint32_t failed = 0;
  };

  const base::Executor home_;
  Context context_;
  Minute minute_;
  std::atomic<base::SteadyTime::rep> bad_at_{0};
  std::list<Entry> entries_;
  Watch* watch_ = nullptr;  ///< points into the frame of watch()
  bool expiring_ = false;
  bool closed_ = false;
};

}  // namespace relay::dns
