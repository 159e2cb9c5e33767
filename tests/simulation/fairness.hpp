// Judges how long a destination waits for a place, and whether a verb is heard at once.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/simulation/dns_waits.hpp"
#include "tests/simulation/pauses.hpp"
#include "tests/simulation/traffic_judge.hpp"

namespace relay::simulation {

/// A destination with due copies must be active within its time: a connection that serves it is
/// used, or one is made for it.
class Fairness final : public ActivityWatch {
 public:
  Fairness(Book& book, Verdicts& verdicts, SimClock& clock, const Pauses& pauses);

  void active(std::uint32_t connection, base::SteadyTime until) override;
  void serves(std::uint32_t connection, std::size_t group) override;
  void dialling(std::uint32_t connection, int host, bool risk_pool) override;
  void dot_may_be_written(std::uint32_t connection) override;
  void fell_silent(std::uint32_t connection) override;
  void ended(std::uint32_t connection, bool failed) override;
  void replied(std::uint32_t connection, const Said& said) override;

  /// DNS was asked about a domain, and answers then.
  void asked_dns(std::size_t domain, base::SteadyTime until);

  void heard_dns(std::size_t domain, DnsWaits::Answer answer) { dns_.answered(domain, answer); }

  /// An outcome was recorded of a copy of this group. `took`: it was delivered, and the relay knows
  /// by now that this group takes mail.
  void recorded(std::size_t group, bool took);

  /// A session of the group was ended because others waited. The next one gets its full time, and
  /// waits for one of the few places with full time.
  void cut_off(std::size_t group);

  /// An attempt ended before anything was dialled. In the risk pool it counts against the rate.
  void content_unreadable(const MessageTruth& message);

  /// No wait counts while the relay cannot work: its process or its store is gone, or a thread gets
  /// no processor. All waits begin anew at `now`.
  void calm_from(base::SteadyTime now) { calm_since_ = now; }

  /// The relay has forgotten what it knew of its destinations.
  void process_died();

  /// A verb has made these copies due, and was answered: their destinations should become active.
  void expect_move(std::vector<CopyName> copies);

  /// Nothing happens between now and then.
  void check(base::SteadyTime then);

  /// How much longer the store takes than the limits allow for.
  void set_slack(std::chrono::milliseconds slack) { slack_ = slack; }

  /// How many sessions there may be of ordinary mail, and of the risk pool: half of them are kept
  /// for destinations that proved themselves, and slow ones have as many again.
  void set_places(std::size_t ordinary, std::size_t risk) {
    pools_[0].places = ordinary;
    pools_[1].places = risk;
  }

  /// The longest time between two copies of the risk pool for one destination.
  void set_pace(std::chrono::milliseconds pace) { pools_[1].pace = pace; }

  /// How long a session may take if every step gets its full time.
  void set_full_time(std::chrono::seconds span) { full_time_ = span; }

 private:
  static constexpr std::chrono::seconds kSlow{10};
  static constexpr std::chrono::seconds kTick{1};

  /// How many groups of each class stand in line, or have a place.
  struct Waiting {
    std::size_t proven = 0;
    std::size_t took_lately = 0;  ///< as the relay counts; proven ones, and those in trouble since
    std::size_t unknown = 0;
    std::size_t full_time = 0;  ///< of whatever class, who wait for a place with full time
    std::size_t sessions = 0;   ///< of took_lately, that wait for their peers
  };

  struct Pool {
    std::size_t half() const { return std::max<std::size_t>(places / 2, 1); }

    std::size_t places = 200;
    std::chrono::milliseconds pace{0};
    base::SteadyTime slow_full_until;     ///< all slow places were taken, by who may not be cut off
    std::vector<base::SteadyTime> ended;  ///< connections, lately
  };

  struct Group {
    base::SteadyTime busy_until;    ///< with its DNS
    base::SteadyTime served_until;  ///< by a connection; made anew for each check
    base::SteadyTime active_at;
    /// With other hosts it has to prove itself anew; the judge cannot see since when.
    bool moves = false;
    base::SteadyTime said_taken_at;  ///< a server of it has taken a message
    base::SteadyTime took_at;        ///< … and the relay has recorded that
    base::SteadyTime troubled_at;
    std::chrono::nanoseconds waited{0};  ///< for its servers, since the last outcome
    bool needs_full_time = false;        ///< was cut off, or may have been; took nothing since
    bool unreachable = false;            ///< the last that was dialled for it did not answer
    unsigned pending = 0;                ///< connections on which nothing can be seen
    bool waits = false;                  ///< has copies that are due
    base::SteadyTime looked_at;
    Waiting most;  ///< since it was active, of each class
  };

  struct Connection {
    std::size_t pool = 0;
    std::vector<std::size_t> groups;
    base::SteadyTime busy_until;
    std::optional<base::SteadyTime> dot_at;  ///< from when on the latest transaction is heard out
    bool pending = false;
    base::SteadyTime pending_since;
  };

  struct Expectation {
    CopyName copy;
    base::SteadyTime since;
  };

  bool is_busy(const Connection& connection) const {
    return connection.pending || connection.busy_until > clock_.steady();
  }

  static base::SteadyTime busy_until(const Group& group) {
    return std::max(group.busy_until, group.served_until);
  }

  /// Groups of the two pools take turns.
  const Pool& pool_of(const Group& group) const {
    return pools_[static_cast<std::size_t>(&group - groups_.data()) % pools_.size()];
  }

  bool slow_places_are_full(std::size_t pool) const;
  bool slow_may_be_full(std::size_t pool) const;
  void suspect_cuts(std::size_t pool);
  void end_pending(Connection& connection);
  void remember(Group& group, const Waiting& waiting) const;
  void waits(const Connection& connection, std::chrono::nanoseconds span);
  bool took_lately(const Group& group) const;
  bool proven(const Group& group) const;
  bool paused(const CopyTruth& copy) const;
  Waiting waiting_in(std::size_t pool) const;
  static std::chrono::nanoseconds in_line(const Pool& pool, std::size_t waiting);
  std::chrono::nanoseconds limit_of(const Group& group, Waiting waiting) const;
  void check_copy(CopyTruth& copy, base::SteadyTime then);
  void check_expectations(base::SteadyTime then);

  Book& book_;
  Verdicts& verdicts_;
  SimClock& clock_;
  const Pauses& pauses_;
  DnsWaits dns_;
  std::vector<Group> groups_;
  std::vector<Connection> connections_{1};
  std::vector<std::uint32_t> open_;
  std::vector<Expectation> expected_;
  base::SteadyTime calm_since_;
  std::array<Pool, 2> pools_;  ///< ordinary and risk
  std::chrono::seconds full_time_{3600};
  std::chrono::milliseconds slack_{0};
};

}  // namespace relay::simulation
