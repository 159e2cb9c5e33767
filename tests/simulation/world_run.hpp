// Runs a world from its first message until everything has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "relay/ops/bulk_change.hpp"
#include "relay/ops/controls.hpp"
#include "relay/ops/pause_book.hpp"
#include "tests/controls/sabotage.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/relay_under_test.hpp"
#include "tests/simulation/seeded_loops.hpp"
#include "tests/simulation/sim_resolver.hpp"
#include "tests/simulation/watched_desk.hpp"
#include "tests/simulation/watched_queue.hpp"

namespace relay::simulation {

struct RunResult {
  std::vector<Violation> violations;
  std::string trace;  ///< of the copy of the first violation
  std::size_t transactions = 0;
  std::size_t handlers = 0;
  std::chrono::milliseconds simulated{0};
  std::uint64_t fingerprint = 0;
};

class WorldRun {
 public:
  /// `sabotage`: see tests/controls/sabotage.hpp.
  explicit WorldRun(const World& world, bool aloud = false,
                    std::string sabotage = std::string(controls::kNoSabotage));
  WorldRun(const WorldRun&) = delete;
  WorldRun& operator=(const WorldRun&) = delete;
  ~WorldRun();

  RunResult run();

 private:
  /// One life of the process: the parts that die with it.
  struct Life {
    explicit Life(WorldRun& run);

    const std::unique_ptr<ports::DeliveryQueue> sabotaged_queue;
    const std::unique_ptr<ports::Resolver> sabotaged_resolver;
    const std::unique_ptr<ports::Dialer> sabotaged_dialer;
    SeededLoops loops;
    RelayUnderTest relay;
    Moving moving;
    WatchedOperators operators;
    WatchedControl control;
    ops::Controls controls;
    ops::PauseBook pauses;
  };

  void plan();
  void add_hosts();
  void begin_process();
  void kill_process();
  void go_on();
  bool run_dry();
  bool finished();
  void spawn(std::string name, base::Task<> task);

  base::Task<> arrive(std::uint32_t number);
  base::Task<bool> commit(ports::NewMessage message, std::uint32_t number);
  void happen(const Incident& incident);
  void happen_to_host(const Incident& incident);
  void happen_to_process(const Incident& incident);
  void heal_all();
  base::Task<> verb(Incident incident);
  base::Task<> pause(Incident incident);
  base::Task<> resume(bool all);
  base::Task<> restart(std::chrono::milliseconds pause);
  base::Task<> live();
  void stall(const Incident& incident);
  void check_memory();
  void check_copies(const delivery::Totals& totals);
  std::size_t taken_back() const;
  base::Task<> end();

  const World& world_;
  const std::string sabotage_;
  Random random_;
  SimClock clock_;
  Judge judge_;
  Network network_;
  SimResolver resolver_;
  fakes::MemorySpool queue_;
  StoreMood store_mood_;
  WatchedQueue watched_;
  std::unique_ptr<Life> life_;
  std::size_t handlers_ = 0;
  unsigned verbs_ = 0;                                     ///< that were ordered
  std::size_t arriving_ = 0;                               ///< messages that are still to come
  std::vector<std::weak_ptr<const std::string>> offered_;  ///< content, with its message
  bool healed_ = false;
  bool stopping_ = false;
  bool ended_ = false;
  base::SteadyTime give_up_at_;
};

RunResult run_world(const World& world, bool aloud = false,
                    std::string sabotage = std::string(controls::kNoSabotage));

}  // namespace relay::simulation
