// Whose hosts are looked up next. A name server that is silent holds a look-up for its whole time,
// so look-ups have shares, as connections have. Internal to the dispatcher, whose lock guards it.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "relay/delivery/lane.hpp"
#include "relay/delivery/limits.hpp"
#include "relay/delivery/places.hpp"

namespace relay::delivery {

/// Domains that were answered for the last time, if only by "no such domain", are Share::Proven:
/// half of the places are kept for them. A look-up has a short time at first; if it ends without an
/// answer, it is repeated in Share::Slow with its whole time, and so are the next ones of that lane
/// until one is answered.
class Lookups {
 public:
  void set_limits(const Limits& limits);

  /// Puts the lane in line.
  void want(const LanePtr& lane);

  /// The domain of this lane was just answered for, in another lane. If the lane is in line among
  /// those that may be silent, it stands among the known ones from now on.
  void is_known_now(const LanePtr& lane);

  /// The next lane in line, which has its place from now on; nullptr: there is no room, or nobody
  /// in line.
  LanePtr next(base::SteadyTime now);

  /// How long the look-up that has begun may take.
  std::chrono::seconds time_for(const Lane& lane) const {
    return lane.lookup_share == Share::Slow ? limits_.whole_lookup : limits_.quick_lookup;
  }

  // The look-up ends, and its place is free.

  void found(Lane& lane);
  void failed_for_good(Lane& lane);
  /// Hosts were found, but the list passes over one that is silent. False: as below.
  bool found_in_part(Lane& lane);
  /// False: it had its short time only. The caller should want it again instead of using its
  /// result.
  bool failed_for_now(Lane& lane, base::SteadyTime now);

 private:
  using Line = std::deque<std::weak_ptr<Lane>>;

  Line& line(Share share) { return lines_[static_cast<std::size_t>(share)]; }

  LanePtr front_of(Share share);
  bool has_room(Share share);
  void leave(Lane& lane);

  bool is_known(const std::string& domain) const { return known_.contains(domain); }

  void remember(const std::string& domain);
  void forget(const std::string& domain);

  Limits limits_;
  Places places_;
  std::array<Line, 3> lines_;
  std::list<std::string> domains_;  ///< answered for the last time; the latest first
  std::unordered_map<std::string, std::list<std::string>::iterator> known_;
};

}  // namespace relay::delivery
