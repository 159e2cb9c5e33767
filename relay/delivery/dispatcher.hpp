// Distributes the work: which copies are in memory, which may be tried now, and who gets a
// connection. Bounded: what finds no room stays on disk and is read again later. Two levels: copies
// wait in lanes (target domain and pool); connections, pace and outages belong to groups (one mail
// system). Thread-safe, with short critical sections; hooks and resumptions are called without the
// lock.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/lane_steps.hpp"

namespace relay::delivery {

struct Totals {
  std::size_t copies = 0;    ///< claimed: waiting in memory or under way
  std::size_t sessions = 0;  ///< places in use: at work, idle, being opened or closed
  std::size_t at_work = 0;   ///< … of which have copies to deliver
  std::size_t idle = 0;      ///< … of which are kept open for more mail
  std::size_t slow = 0;      ///< … of which are slow
  std::size_t lanes = 0;
  std::size_t groups = 0;
};

class Dispatcher {
 public:
  /// Called without the lock, from any thread; must not block.
  struct Hooks {
    std::function<base::Executor()> next_shard;
    std::function<void(PlacePtr)> start_session;
    std::function<void(LanePtr, std::chrono::seconds within)> start_lookup;
    std::function<void(LanePtr)> start_clerk;
    std::function<void()> refill;  ///< wants_refill() has work, or may_look_again() is true
  };

  Dispatcher(Hooks hooks, FailingHosts& failing);

  /// Host lists made under another policy are looked up again.
  void set_policy(std::shared_ptr<const Policy> policy);
  void set_pauses(std::vector<ports::PauseRule> rules);

  // Copies come in. Those without room stay on disk and are read again later.

  void expect(const mail::MessageId& id);
  /// It will not be offered.
  void expect_no_more(const mail::MessageId& id);
  /// The copies of an expected message, by lane. False: the queue has changed meanwhile, and should
  /// be read: some of them were withdrawn and stay on disk, or others are due that were held.
  bool offer(const mail::MessageId& id, std::map<ports::LaneKey, Job> lanes, base::SteadyTime now);

  /// A due copy read from disk in the order of its lane. False: there is no room for another lane.
  bool add(const ports::DueCopy& due, base::SteadyTime now) { return take_in(due, true, now); }

  /// A copy that has just become due. It does not overtake copies that its lane has on disk only:
  /// otherwise copies that are deferred again and again would keep out those never tried.
  bool add_new(const ports::DueCopy& due, base::SteadyTime now) { return take_in(due, false, now); }

  /// The lane has due copies on disk. False: there is no room for another lane.
  bool note_backlog(const ports::LaneKey& key);
  /// Lanes found no room before, and there is room again: the caller should read all lanes. True
  /// only once.
  bool may_look_again();
  std::vector<Refill> wants_refill(std::size_t at_most);
  /// `after`: the last row of the page; nullopt: there are no more.
  void refilled(const ports::LaneKey& key, std::optional<ports::DueCursor> after);

  // Results of look-ups.

  void found(const LanePtr& lane, HostList hosts, base::SteadyTime now);
  void not_found(const LanePtr& lane, mail::Outcome why, base::SteadyTime now);

  /// The task that looked up has ended by an error: not_found(), unless it has told its answer.
  void lookup_lost(const LanePtr& lane, base::SteadyTime now);

  // Sessions, and clerks, which answer for copies that are not tried.

  /// The next work for the session, which is connected to `kept`, if to anything. Waits up to
  /// keep_open for work unless others need the place; nullopt: the session must end.
  base::Task<std::optional<Assignment>> next(PlacePtr place, std::optional<Candidate> kept,
                                             base::SteadyTime now);
  void session_ended(const PlacePtr& place);
  /// nullopt: the clerk must end.
  std::optional<Assignment> next_for_clerk(const LanePtr& lane, base::SteadyTime now);
  void clerk_ended(const LanePtr& lane);

  /// What an attempt learned about its group.
  void hear(const PlacePtr& place, const Assignment& assignment, const Feedback& feedback,
            base::SteadyTime now);
  /// These copies were not tried; they wait at the front of the lane.
  void put_back(const LanePtr& lane, const mail::MessageId& id, std::vector<std::uint16_t> indices);
  /// A server deferred the copy until `due`. When due, it goes before copies that were never tried.
  void put_off(const LanePtr& lane, const mail::CopyId& copy, base::SteadyTime due);
  /// Gives up the claims. Not recorded: the copies are read from disk again.
  void release(const LanePtr& lane, const mail::MessageId& id,
               const std::vector<std::uint16_t>& indices, bool is_recorded);

  // The operator changes copies that are in memory.

  /// Returns how many of them may leave all the same, because the end of data has been sent.
  std::size_t withdraw(const std::vector<mail::CopyId>& copies);
  bool is_withdrawn(const mail::CopyId& copy) const;
  /// False: one of them was withdrawn. True: from here on the next hop may take them.
  bool enter_dot(const mail::MessageId& id, const std::vector<std::uint16_t>& indices);

  /// Grows with each withdrawal: while it is unchanged, is_withdrawn() need not be asked again.
  std::uint64_t withdrawals() const { return withdrawals_.load(std::memory_order_acquire); }

  /// False: is_paused() is false for everything.
  bool has_pauses() const { return has_pauses_.load(std::memory_order_acquire); }

  bool is_paused(const std::string& alias) const;
  bool is_paused(const HostList& hosts) const;
  std::optional<ports::Waiting> why_waiting(const mail::CopyId& copy, const ports::LaneKey& key,
                                            const std::string& alias, base::SteadyTime now) const;

  void forget_outages();
  /// Ends idle sessions at their time limit, moves slow ones, forgets empty lanes and groups.
  void tick(base::SteadyTime now);
  void pause(bool paused);  ///< while true, no session gets a new job
  void stop();              ///< for good; idle sessions end
  Totals totals() const;

 private:
  /// Calls `work` under the lock and, after releasing it, the hooks that `work` asked for.
  template <typename Work>
  void change(Work work);
  /// … by a caller that knows the time.
  template <typename Work>
  void change(base::SteadyTime now, Work work);
  void offer_to(const ports::LaneKey& key, Job job, Deferred& after);
  bool take_in(const ports::DueCopy& due, bool overtakes, base::SteadyTime now);
  bool take_in_now(const ports::DueCopy& due, bool overtakes, Deferred& after);

  Hooks hooks_;
  mutable std::mutex mutex_;
  PauseRules pauses_;
  Claims claims_;
  Lanes lanes_;
  Connections connections_;
  LaneSteps steps_;
  base::SteadyTime forget_at_;
  std::atomic<std::uint64_t> withdrawals_ = 0;
  std::atomic<bool> has_pauses_ = false;
  bool stopped_ = false;
};

}  // namespace relay::delivery
