// Deals out the work: which copies are in memory, which of them may be tried now, and who has a
// connection. Bounded; everything else stays on disk and is read again when there is room. Two
// levels: copies wait in lanes (a target domain and a pool), connections, pace and outages belong
// to groups (one mail system). Thread-safe; short critical sections, and nothing foreign is called
// under the lock.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/claims.hpp"
#include "relay/delivery/connections.hpp"
#include "relay/delivery/pause_rules.hpp"
#include "relay/ports/delivery_control.hpp"

namespace relay::delivery {

struct Totals {
  std::size_t copies = 0;    ///< claimed: waiting in memory or under way
  std::size_t sessions = 0;  ///< connections, idle ones included
  std::size_t slow = 0;      ///< … of which are slow
  std::size_t lanes = 0;
  std::size_t groups = 0;
};

class Dispatcher {
 public:
  /// Called without the lock, from any thread; none may block.
  struct Hooks {
    std::function<base::Executor()> next_shard;
    std::function<void(PlacePtr)> start_session;
    std::function<void(LanePtr)> start_lookup;
    std::function<void(LanePtr)> start_clerk;
    std::function<void()> refill;  ///< wants_refill() has something to say, or there is room again
  };

  Dispatcher(Hooks hooks, FailingHosts& failing);

  /// Lists of hosts made under another policy are looked up anew.
  void set_policy(std::shared_ptr<const Policy> policy);
  void set_pauses(std::vector<ports::PauseRule> rules);

  // Copies come in. What finds no room stays on disk and is read again when there is some.

  void expect(const mail::MessageId& id);
  /// It will not be offered.
  void expect_no_more(const mail::MessageId& id);
  /// Copies of a message that was expected, by lane. False: some were withdrawn meanwhile, and are
  /// left to the disk.
  bool offer(const mail::MessageId& id, std::map<ports::LaneKey, Job> lanes, base::SteadyTime now);

  /// One copy that was found on disk, in the order of its lane. False: there is no room for its
  /// lane.
  bool add(const ports::DueCopy& due, base::SteadyTime now) { return take_in(due, true, now); }

  /// The same of a copy that has become due: it does not overtake what its lane has on disk only,
  /// or what comes due again and again would keep out what was never tried.
  bool add_new(const ports::DueCopy& due, base::SteadyTime now) { return take_in(due, false, now); }

  /// The lane has due copies on disk. False: there is no room for another lane.
  bool note_backlog(const ports::LaneKey& key);
  /// Lanes found no room before, and there is some again: all are to be looked at. True once.
  bool may_look_again();
  std::vector<Refill> wants_refill(std::size_t at_most);
  /// `after`: where the page ended; nullopt: it was the last one.
  void refilled(const ports::LaneKey& key, std::optional<ports::DueCursor> after);

  // Look-ups.

  void found(const LanePtr& lane, HostList hosts, base::SteadyTime now);
  void not_found(const LanePtr& lane, mail::Outcome why, base::SteadyTime now);

  // Sessions, and clerks who answer for what is not tried.

  /// The next work for the session, which is connected to `kept`, if it is connected. Waits for
  /// some, up to keep_open, where nobody else needs the place; nullopt: the session is to end.
  base::Task<std::optional<Assignment>> next(PlacePtr place, std::optional<Candidate> kept,
                                             base::SteadyTime now);
  void session_ended(const PlacePtr& place);
  /// nullopt: the clerk is to end.
  std::optional<Assignment> next_for_clerk(const LanePtr& lane, base::SteadyTime now);
  void clerk_ended(const LanePtr& lane);

  /// What an attempt found out about its group.
  void hear(const PlacePtr& place, const Assignment& assignment, const Feedback& feedback,
            base::SteadyTime now);
  /// They were not tried, and wait on in front of all others.
  void put_back(const LanePtr& lane, const mail::MessageId& id, std::vector<std::uint16_t> indices);
  /// A server has put the copy off until `due`. Then it is tried before what was never tried.
  void put_off(const LanePtr& lane, const mail::CopyId& copy, base::SteadyTime due);
  /// Recorded, or else left to the disk.
  void release(const LanePtr& lane, const mail::MessageId& id,
               const std::vector<std::uint16_t>& indices, bool is_recorded);

  // What the operator does with copies that are in memory.

  /// How many of them may leave all the same: their dot is written.
  std::size_t withdraw(const std::vector<mail::CopyId>& copies);
  bool is_withdrawn(const mail::CopyId& copy) const;
  /// False: one of them is not to leave. True: from now on the next hop may take them.
  bool enter_dot(const mail::MessageId& id, const std::vector<std::uint16_t>& indices);

  /// Grows with each withdrawal: who has seen a number need not look again while it stands.
  std::uint64_t withdrawals() const { return withdrawals_.load(std::memory_order_acquire); }

  /// Whether is_paused() can be true.
  bool has_pauses() const { return has_pauses_.load(std::memory_order_acquire); }

  bool is_paused(const std::string& alias) const;
  bool is_paused(const HostList& hosts) const;
  std::optional<ports::Waiting> why_waiting(const mail::CopyId& copy, const ports::LaneKey& key,
                                            const std::string& alias, base::SteadyTime now) const;

  void forget_outages();
  /// Ends idle sessions whose time is over, moves slow ones, forgets what is empty.
  void tick(base::SteadyTime now);
  void pause(bool paused);  ///< no session gets a new job
  void stop();              ///< for good; idle sessions end
  Totals totals() const;

 private:
  static void run(Deferred& after);

  void offer_to(const ports::LaneKey& key, Job job, Deferred& after);
  bool take_in(const ports::DueCopy& due, bool overtakes, base::SteadyTime now);
  void arrange(const LanePtr& lane, Deferred& after);
  void want_lookup(const LanePtr& lane, Deferred& after);
  void next_lookups(Deferred& after);
  void start_clerk(const LanePtr& lane, Deferred& after);
  void next_clerks(Deferred& after);

  Hooks hooks_;
  mutable std::mutex mutex_;
  Limits limits_;
  PauseRules pauses_;
  Claims claims_;
  Lanes lanes_;
  Connections connections_;
  std::deque<std::weak_ptr<Lane>> lookups_wanted_;
  std::deque<std::weak_ptr<Lane>> clerks_wanted_;
  std::size_t lookups_ = 0;
  std::size_t clerks_ = 0;
  base::SteadyTime forget_at_;
  std::atomic<std::uint64_t> withdrawals_ = 0;
  std::atomic<bool> has_pauses_ = false;
  bool paused_ = false;
  bool stopped_ = false;
};

}  // namespace relay::delivery
