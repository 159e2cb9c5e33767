// The copies for one target domain in one pool. Internal to the dispatcher, whose lock guards every
// member.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/host_list.hpp"
#include "relay/delivery/place.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/due_copies.hpp"
#include "relay/ports/lane_key.hpp"

namespace relay::delivery {

/// Claimed copies of one message in one lane.
struct Job {
  mail::MessageId id;
  std::vector<std::uint16_t> indices;
  std::shared_ptr<const mail::QueuedMessage> queued;  ///< of a fresh message; null: to be loaded
  std::shared_ptr<const std::string> content;         ///< likewise
};

/// A copy that a server deferred, and when it is due again.
struct PutOff {
  mail::CopyId copy;
  base::SteadyTime due;
};

/// The outcome that all copies of a lane, or of a host list, get for a while without an attempt.
struct Answer {
  mail::Outcome outcome;  ///< never Delivered
  base::SteadyTime until;
};

class Group;

struct Lane {
  explicit Lane(ports::LaneKey name) : key(std::move(name)) {}

  enum class Lookup { Idle, Wanted, Running };

  const ports::LaneKey key;
  std::deque<Job> jobs;
  std::size_t copies = 0;       ///< in jobs
  std::size_t last_again = 0;   ///< number of jobs at the front up to the last one put off before
  std::vector<PutOff> put_off;  ///< some of the copies put off and now on disk: those due first

  // Its hosts.
  Lookup lookup = Lookup::Idle;
  Share lookup_share = Share::Unknown;  ///< of the look-up wanted or running
  base::SteadyTime lookup_began;
  bool has_silent_dns = false;            ///< its last look-up ended without an answer
  std::shared_ptr<const HostList> hosts;  ///< null: not looked up
  std::optional<Answer> answer;           ///< result of a failed look-up, in place of hosts
  unsigned lookup_failures = 0;           ///< in a row
  std::shared_ptr<Group> group;           ///< set while hosts are known
  bool is_ready = false;                  ///< is in group->ready
  std::list<std::shared_ptr<Lane>>::iterator in_ring;  ///< … there, while is_ready
  unsigned passed_over = 0;  ///< times another lane of the group went first
  bool has_clerk = false;    ///< a clerk answers its jobs

  // What is on disk only.
  bool overflowed = false;                 ///< more due copies are on disk
  bool missed = false;                     ///< some of these may lie before `cursor`
  std::array<bool, 2> in_refill_line{};    ///< is in these of Lanes::refills_
  bool is_refilling = false;               ///< the queue is read for it
  std::optional<ports::DueCursor> cursor;  ///< read up to here; nullopt: start from the beginning
};

using LanePtr = std::shared_ptr<Lane>;

}  // namespace relay::delivery
