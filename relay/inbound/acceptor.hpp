// Takes connections: admits or refuses them, counts sessions, and ends all of them in a drain.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "relay/base/task.hpp"
#include "relay/inbound/entrance.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/services.hpp"
#include "relay/inbound/session.hpp"

namespace relay::inbound {

/// Outlives its sessions: destroy it after the shards have stopped or drained() returned true.
class Acceptor {
 public:
  explicit Acceptor(const Services& services);

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Runs a session on `executor`, or says 421 and closes. Thread-safe; never blocks.
  void admit(std::unique_ptr<ports::Stream> stream, const base::Executor& executor);

  /// Admits nobody from here on. A session that waits for a command outside a transaction ends at
  /// once with 421; any other when its transaction is over, or when its client is silent for
  /// Limits::command_overloaded. Thread-safe.
  void drain();

  /// Waits until no session is left, then returns true. If the deadline passes first: sends 421 to
  /// every client that keeps its session waiting, gives them one more second, and returns false.
  base::Task<bool> drained(base::Deadline deadline);

  std::uint32_t sessions() const { return gate_.inside(); }

 private:
  struct Resident {
    Session* session;  ///< to be touched only on its executor, and only while registered
    base::Executor executor;
  };

  /// Keeps a session registered while it runs, however it ends.
  class Registration;

  base::Task<> serve(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                     Gate::Ticket ticket);

  /// Gives up the place among kMaxRefusals, however the task ends.
  struct EndRefusing {
    void operator()(std::atomic<int>* refusals) const noexcept { refusals->fetch_sub(1); }
  };

  using Refusing = std::unique_ptr<std::atomic<int>, EndRefusing>;

  base::Task<> refuse(std::unique_ptr<ports::Stream> stream, GateRefusal refusal, Refusing counted);
  /// Posts `what` to the executor of every session.
  void tell_all(void (Session::*what)());
  void tell(std::uint64_t number, void (Session::*what)());

  ports::Clock& clock_;
  const base::Published<Policy>& policy_;
  RefusalLog& refusal_log_;
  base::Watchdog& watchdog_;
  Gate gate_;
  Entrance entrance_;
  const RecipientGate recipients_;
  const ContentReceiver content_;
  const StartTls start_tls_;
  const ClientAdmission::Parts admission_parts_;
  const Session::Parts session_parts_;
  /// Of sessions. It begins at the wall time in milliseconds, so that no restart repeats a number
  /// that is still in the log.
  std::atomic<std::uint64_t> next_number_;
  std::atomic<int> refusals_{0};  ///< 421s being written
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Resident> residents_;
};

}  // namespace relay::inbound
