// The violations found in a world, and the last events of the copy concerned.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/sim_clock.hpp"

namespace relay::simulation {

/// The rules that a relay must keep, whatever its world does.
enum class Rule : std::uint8_t {
  Protocol,             ///< it never speaks out of turn
  Stranger,             ///< it dials and sends only what and where somebody said
  BehindUs,             ///< no host at or behind our own preference is asked, nor one of the past
  WrongSource,          ///< doubtful mail leaves from its own addresses, other mail does not
  Misdirected,          ///< a recipient gets the message that is meant for it, unchanged
  DeliveredUntaken,     ///< "delivered" only where the server took it
  ForeignReply,         ///< an outcome repeats a reply to that very copy
  TakenTwice,           ///< a second time only after "possible duplicate"
  EndsTwice,            ///< a copy ends once
  FailedWithoutCause,   ///< a copy fails for a final reply to it, or for its age
  FailedAfterFallback,  ///< not for what a server said after TLS had failed
  NoFallback,           ///< TLS that breaks is followed by the clear, where that is allowed
  DsnWithoutCause,      ///< a DSN tells of failures and delays that were recorded, of each once
  DsnUnpaid,            ///< and of all of them, in time
  DsnTooOften,          ///< one a message and minute
  SecondDelayNotice,    ///< one a message
  LeftAfterVerb,        ///< what is held or dropped goes no further
  VerbMiscounts,        ///< "M under way" are those whose dot is written
  VerbLate,             ///< a verb acts within a second
  PausedLeft,           ///< a rule holds
  TooEarly,             ///< nothing is tried before it is due
  LimitExceeded,        ///< what a server stated is heeded from then on
  DotCutShort,          ///< no wait for the reply to a dot ends before its own limit
  Starved,              ///< a destination waits for a place, and not for long
  HostNotAsked,         ///< every usable host is asked within two attempts, the best one first
  TooManyHosts,         ///< and at most three in one
  MemoryBound,          ///< what is kept in memory is bounded
  QueueNotEmpty,        ///< in the end everything has ended but what is held
  Lost,                 ///< what was accepted is in the queue until it ends
  NeverQuiet,           ///< at one moment there is only so much to do
  StopHangs,            ///< a stop ends
  TaskCrashed,          ///< no task ends by an exception
};

std::string_view name(Rule rule);

/// Names one copy in traces: the number of its message in the world, and its index there.
struct CopyName {
  std::uint32_t message = 0;
  std::uint16_t index = 0;

  friend bool operator==(const CopyName&, const CopyName&) = default;
};

inline constexpr CopyName kNoCopy{UINT32_MAX, 0};

/// An event, formatted only when it is printed.
struct Event {
  enum class What : std::uint8_t {
    Accepted,
    Dialled,
    NotConnected,
    HandshakeDone,
    HandshakeFailed,
    Mail,
    Rcpt,
    Dot,
    Taken,
    Said,
    Closed,
    Recorded,
    TooLate,
    PutOff,
    Notice,
    Report,
    Verb,
    Incident,
    Violation,
  };

  std::int64_t at_ms = 0;
  What what = What::Incident;
  CopyName copy = kNoCopy;
  std::uint32_t connection = 0;
  std::int32_t number = 0;      ///< a code, a host, a state: as `what` has it
  std::array<char, 28> text{};  ///< ends with NUL
};

struct Violation {
  Rule rule = Rule::Protocol;
  std::int64_t at_ms = 0;
  CopyName copy;
  std::string text;
};

/// Keeps the last events of the world. With `aloud`, prints each when it happens.
class Verdicts {
 public:
  explicit Verdicts(SimClock& clock, bool aloud = false) : clock_(clock), aloud_(aloud) {}

  void note(Event::What what, CopyName copy, std::uint32_t connection, std::int64_t number,
            std::string_view text = {});

  /// The first few are kept; the run ends soon after the first.
  void violate(Rule rule, CopyName copy, std::string text);

  const std::vector<Violation>& violations() const { return violations_; }

  bool clean() const { return violations_.empty(); }

  bool aloud() const { return aloud_; }

  /// The events of the copy, and of the connections that carried it.
  std::string trace(CopyName copy) const;

  /// Hash of all events in order: equal in two runs of one seed.
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  static constexpr std::size_t kKept = 4096;

  std::string line(const Event& event) const;

  SimClock& clock_;
  bool aloud_;
  std::vector<Event> events_;  ///< a ring
  std::size_t noted_ = 0;
  std::vector<Violation> violations_;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace relay::simulation
