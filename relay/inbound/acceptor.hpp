// Takes connections in: admits, refuses, counts, and sees all sessions out at the end.
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

/// Outlives its sessions: destroy it after the shards have stopped or drained() said true.
class Acceptor {
 public:
  explicit Acceptor(const Services& services);

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Runs a session on `executor`, or says 421 and closes. Thread-safe; never blocks.
  void admit(std::unique_ptr<ports::Stream> stream, const base::Executor& executor);

  /// Lets nobody in any more. Sessions that wait for a command are closed with 421, the others when
  /// their transaction is over, or when their client is silent for Limits::command_overloaded.
  /// Thread-safe.
  void drain();

  /// Waits until no session is left; false when the deadline passes before. Then whoever keeps a
  /// session waiting hears 421, and has a second to go.
  base::Task<bool> drained(base::Deadline deadline);

  std::uint32_t sessions() const { return gate_.inside(); }

 private:
  struct Resident {
    Session* session;  ///< to be touched on its executor only, while still registered
    base::Executor executor;
  };

  /// Registers a session while it runs, however it ends.
  class Registration;

  base::Task<> serve(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                     Gate::Ticket ticket);

  /// Gives the place of a 421 back, however its task ends.
  struct EndRefusing {
    void operator()(std::atomic<int>* refusals) const noexcept { refusals->fetch_sub(1); }
  };

  using Refusing = std::unique_ptr<std::atomic<int>, EndRefusing>;

  base::Task<> refuse(std::unique_ptr<ports::Stream> stream, GateRefusal refusal, Refusing counted);
  /// Calls it for every session, on the session's shard.
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
  const Session::Parts session_parts_;
  std::atomic<int> refusals_{0};  ///< 421s being written
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Resident> residents_;
  std::uint64_t next_number_ = 1;
};

}  // namespace relay::inbound
