// The groups and their sessions: which lane is served next, on which connection, and which group
// waits for a place. Internal to the dispatcher, whose lock guards it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/base/rate_table.hpp"
#include "relay/delivery/failing_hosts.hpp"
#include "relay/delivery/group.hpp"
#include "relay/delivery/lanes.hpp"
#include "relay/delivery/pool.hpp"

namespace relay::delivery {

class Connections {
 public:
  using Resume = std::move_only_function<void(std::optional<Assignment>)>;

  struct Hooks {
    std::function<base::Executor()> next_shard;
    std::function<void(PlacePtr)> start_session;
  };

  /// `arrange` finds the next step for a lane whose hosts are out of date or unreachable.
  Connections(Hooks hooks, Lanes& lanes, FailingHosts& failing,
              std::function<void(const LanePtr&, Deferred&)> arrange)
      : hooks_(std::move(hooks)), lanes_(lanes), failing_(failing), arrange_(std::move(arrange)) {}

  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void set_policy(std::shared_ptr<const Policy> policy, const Limits& limits);

  const std::shared_ptr<const Policy>& policy() const { return policy_; }

  /// The time of a caller; the latest counts.
  void see(base::SteadyTime now) { now_ = std::max(now_, now); }

  base::SteadyTime now() const { return now_; }

  /// While closed, no session gets work.
  void close(bool closed) { is_closed_ = closed; }

  bool is_closed() const { return is_closed_; }

  /// The list may still be used.
  bool is_current(const HostList& list) const {
    return list.policy == policy_ && now_ < list.valid_until;
  }

  /// Creates the group if it does not exist.
  GroupPtr group_for(const HostList& list, bool risk_pool);

  // Put a lane, whose hosts are known, into its group's ring of ready lanes, or take it out.
  void make_ready(const LanePtr& lane, Deferred& after);
  void not_ready(Lane& lane);

  /// Gives ready work to an idle session, or starts a session, or puts the group in line for a
  /// place. `is_called`: the group was first in line.
  void dispatch(const GroupPtr& group, Deferred& after, bool is_called = false);

  /// Resumes at once, or when there is work; see Dispatcher::next().
  void ask(const PlacePtr& place, std::optional<Candidate> kept, Resume resume, Deferred& after);
  void ended(const PlacePtr& place, Deferred& after);
  void hear(const PlacePtr& place, const Assignment& assignment, const Feedback& feedback,
            Deferred& after);

  /// Ends sessions idle for too long, moves slow ones, and serves groups in line.
  void tick(Deferred& after);
  void end_idle(Deferred& after);
  void forget_outages();
  void forget_groups();

  /// The group has used up the rate of the risk pool.
  bool waits_for_rate(const Group& group) const;

  std::size_t sessions() const { return ordinary_.places().used() + risk_.places().used(); }

  /// Sessions that were given an assignment and have not asked for the next one, or ended.
  std::size_t at_work() const { return at_work_; }

  std::size_t idle() const { return ordinary_.idle() + risk_.idle(); }

  std::size_t slow() const {
    return ordinary_.places().used(Share::Slow) + risk_.places().used(Share::Slow);
  }

  std::size_t groups() const { return groups_.size(); }

 private:
  Pool& pool_of(bool risk_pool) { return risk_pool ? risk_ : ordinary_; }

  static void end(IdleSession session, Deferred& after);
  void set_at_work(Place& place, bool is_at_work);
  void serve_lines(Deferred& after);
  void to_ring(const LanePtr& lane);
  std::optional<Assignment> take(const GroupPtr& group, const std::optional<Candidate>& kept,
                                 Deferred& after);
  LanePtr choose_lane(Group& group, const std::optional<Candidate>& kept);
  bool may_go(const GroupPtr& group);
  void keep_to_rate(const LanePtr& lane, Job& job);

  Hooks hooks_;
  Lanes& lanes_;
  FailingHosts& failing_;
  std::function<void(const LanePtr&, Deferred&)> arrange_;
  std::shared_ptr<const Policy> policy_;
  Limits limits_;
  Pool ordinary_;
  Pool risk_;
  std::unordered_map<std::string, GroupPtr> groups_;
  mutable base::RateTable risk_used_;  ///< by group; outlives groups
  std::vector<GroupPtr> paced_;        ///< waiting for their rate, in this order
  base::SteadyTime now_;
  std::size_t at_work_ = 0;
  bool is_closed_ = false;
};

}  // namespace relay::delivery
