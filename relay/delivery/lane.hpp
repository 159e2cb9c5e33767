// The copies for one target domain that leave by one pool. Internal to the dispatcher, whose lock
// guards every member.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/delivery/host_list.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

/// Copies of one message for one lane, claimed.
struct Job {
  mail::MessageId id;
  std::vector<std::uint16_t> indices;
  std::shared_ptr<const mail::QueuedMessage> queued;  ///< of a fresh message; null: load it
  std::shared_ptr<const std::string> content;         ///< likewise
};

/// A copy that a server has put off, and when it is due again.
struct PutOff {
  mail::CopyId copy;
  base::SteadyTime due;
};

/// What all copies of a lane, or of a list of hosts, hear for a while instead of being tried.
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
  std::size_t last_again = 0;   ///< how many jobs in front end with the last one that was put off
  std::vector<PutOff> put_off;  ///< some of them, on disk now: those that are due first

  // Where it leads.
  Lookup lookup = Lookup::Idle;
  std::shared_ptr<const HostList> hosts;  ///< null: not looked up
  std::optional<Answer> answer;           ///< of the look-up, in place of hosts
  unsigned lookup_failures = 0;           ///< in a row
  std::shared_ptr<Group> group;           ///< while hosts are known
  bool is_ready = false;                  ///< stands in group->ready
  unsigned passed_over = 0;               ///< times another lane of the group was served first
  bool has_clerk = false;                 ///< somebody answers its jobs

  // What is on disk only.
  bool overflowed = false;                 ///< more of it is due
  bool missed = false;                     ///< some of that lies before `cursor`, or may
  bool refill_wanted = false;              ///< stands in the dispatcher's list
  std::optional<ports::DueCursor> cursor;  ///< how far it was read; nullopt: from the beginning
};

using LanePtr = std::shared_ptr<Lane>;

}  // namespace relay::delivery
