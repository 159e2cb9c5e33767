// Relay::stop(): lets work under way end, then ends everything in order.
#include "relay/app/await_blocking.hpp"
#include "relay/app/wiring.hpp"

namespace relay::app {

namespace {

// Short enough that a stop without work takes at most a fifth of a second.
constexpr std::chrono::milliseconds kLastReplies{120};
constexpr std::chrono::milliseconds kLingerStep{5};

}  // namespace

/// Closing a socket while the peer is still sending discards our last reply: give peers a moment to
/// read it.
void Relay::let_last_replies_arrive() {
  const base::SteadyTime until = clock_.steady() + kLastReplies;
  const auto linger = [](Relay& relay, net::Shard& shard, base::SteadyTime end) -> base::Task<> {
    while (!shard.lingering().settle(relay.clock_.steady()) && relay.clock_.steady() < end) {
      co_await relay.clock_.sleep_until(relay.clock_.steady() + kLingerStep);
    }
  };
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    await_blocking(shards_.at(i).executor(), linger(*this, shards_.at(i), until));
  }
}

void Relay::stop(std::chrono::seconds patience) {
  draining_ = true;
  log_->write(base::Event("stopping", clock_.wall()));
  reloader_->give_up();
  listeners_.stop();
  reception_->acceptor().drain();
  const auto executor = shards_.at(0).executor();
  const bool sessions_ended =
      await_blocking(executor, reception_->acceptor().drained(base::Deadline::after(patience)));
  const bool deliveries_ended = await_blocking(executor, scheduler_->stop(patience));
  resolver_->stop();
  store_->close();
  let_last_replies_arrive();
  shards_.stop();
  shards_.join();
  signer_.reset();  // before the loops are destroyed, which signatures under way report to
  control_->stop();
  // A thread of low priority must not be the last to leave: the kernel frees the memory of a
  // process in its last thread, which on a busy host would take seconds there.
  if (!is_held_up()) {
    reloader_.reset();
    in_force_.end();
  }
  log_->write(base::Event("stopped", clock_.wall())
                  .flag("sessions_ended", sessions_ended)
                  .flag("deliveries_ended", deliveries_ended));
  log_->end();
}

}  // namespace relay::app
