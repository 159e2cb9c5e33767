// The state of a simulated server that its connections share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/simulation/mood.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/sim_clock.hpp"
#include "tests/simulation/witness.hpp"

namespace relay::simulation {

/// State shared by the whole simulated network.
struct Common {
  SimClock& clock;
  Witness& witness;
  std::uint32_t connections = 0;  ///< made so far; as are the others
  std::uint32_t transactions = 0;
  std::uint32_t replies = 0;
};

/// Whether a host can be reached at all.
enum class Reach : std::uint8_t {
  Up,
  Refuses,
  Silent,       ///< nobody answers: the client's deadline ends it
  Unreachable,  ///< the network says so
};

class ServerSession;

class Host {
 public:
  Host(Common& common, int number, std::string name, std::vector<std::string> own_domains,
       Random random)
      : common_(common),
        number_(number),
        name_(std::move(name)),
        own_domains_(std::move(own_domains)),
        random_(random) {}

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  Mood mood;
  Reach reach = Reach::Up;
  bool healed = false;  ///< its mailboxes are well, too

  Common& common() { return common_; }

  int number() const { return number_; }

  const std::string& name() const { return name_; }

  Random& random() { return random_; }

  /// The habit that shows now at this step, if any does.
  std::optional<Habit> habit_at(Step step);

  bool is_own(std::string_view domain) const;

  /// True as long as this sender and recipient must come again. Counts the visit.
  bool turns_away(std::string_view sender, std::string_view recipient);

  void joined(ServerSession& session) { sessions_.push_back(&session); }

  void left(ServerSession& session) { std::erase(sessions_, &session); }

  std::size_t connections() const { return sessions_.size(); }

  /// Ends all its connections: it has crashed, or a cable was pulled.
  void drop_all(ports::IoError error);

 private:
  struct Visit {
    unsigned times = 0;
    base::SteadyTime first;
  };

  Common& common_;
  int number_;
  std::string name_;
  std::vector<std::string> own_domains_;
  Random random_;
  std::vector<ServerSession*> sessions_;
  std::unordered_map<std::uint64_t, Visit> visits_;
};

}  // namespace relay::simulation
