// Takes connections in: admits, refuses, counts, and sees all sessions out at the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "relay/base/task.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/services.hpp"

namespace relay::inbound {

class Session;

/// Outlives its sessions: destroy it after the shards have stopped or drained() said true.
class Acceptor {
 public:
  explicit Acceptor(Services& services) : services_(services) {}

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Runs a session on `executor`, or says 421 and closes. Thread-safe; never blocks.
  void admit(std::unique_ptr<ports::Stream> stream, const base::Executor& executor);

  /// Lets nobody in any more. Sessions that wait for a command are closed with 421, the others when
  /// their transaction is over. Thread-safe.
  void drain();

  /// Waits until no session is left; false when the deadline passes before.
  base::Task<bool> drained(base::Deadline deadline);

  std::uint32_t sessions() const { return gate_.inside(); }

 private:
  struct Resident {
    Session* session;  ///< to be touched on its executor only, while still registered
    base::Executor executor;
  };

  /// Registers a session while it runs, however it ends.
  class Registration;

  std::expected<Gate::Ticket, GateRefusal> enter(const boost::asio::ip::address& address,
                                                 const Limits& limits);
  base::Task<> serve(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                     Gate::Ticket ticket);
  base::Task<> refuse(std::unique_ptr<ports::Stream> stream, GateRefusal refusal);
  void hurry(std::uint64_t number);

  Services& services_;
  Gate gate_;
  std::atomic<int> refusals_{0};  ///< 421s being written
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Resident> residents_;
  std::uint64_t next_number_ = 1;
};

}  // namespace relay::inbound
