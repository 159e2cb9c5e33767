#include "relay/inbound/acceptor.hpp"

#include <chrono>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>

#include "relay/inbound/events.hpp"
#include "relay/inbound/session.hpp"

namespace relay::inbound {

namespace {

constexpr std::chrono::milliseconds kRefusalSpan{1000};
constexpr std::chrono::milliseconds kDrainPoll{20};
// Beyond this a flood gets no 421 any more, only a close.
constexpr int kMaxRefusals = 64;

}  // namespace

class Acceptor::Registration {
 public:
  Registration(Acceptor& acceptor, Session& session) : acceptor_(acceptor) {
    const std::lock_guard lock(acceptor_.mutex_);
    number_ = acceptor_.next_number_++;
    acceptor_.residents_.emplace(number_, Resident{&session, session.executor()});
  }

  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  ~Registration() {
    const std::lock_guard lock(acceptor_.mutex_);
    acceptor_.residents_.erase(number_);
  }

 private:
  Acceptor& acceptor_;
  std::uint64_t number_ = 0;
};

void Acceptor::admit(std::unique_ptr<ports::Stream> stream, const base::Executor& executor) {
  const auto policy = services_.policy.get();
  auto ticket = enter(stream->peer().address, policy->limits);
  if (ticket) {
    base::spawn_supervised(executor, "smtp session",
                           serve(std::move(stream), executor, std::move(*ticket)));
    return;
  }
  if (refusals_.fetch_add(1, std::memory_order_relaxed) >= kMaxRefusals) {
    refusals_.fetch_sub(1, std::memory_order_relaxed);
    return;  // destroying the stream closes it
  }
  try {
    base::spawn_supervised(executor, "smtp refusal", refuse(std::move(stream), ticket.error()),
                           base::OnCrash::EndTask,
                           [this] { refusals_.fetch_sub(1, std::memory_order_relaxed); });
  } catch (const std::bad_alloc&) {
    refusals_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
}

std::expected<Gate::Ticket, GateRefusal> Acceptor::enter(const boost::asio::ip::address& address,
                                                         const Limits& limits) {
  if (services_.waste.exhausted(network_of(address), limits.wasted, services_.clock.steady())) {
    return std::unexpected(GateRefusal::Wasteful);
  }
  return gate_.enter(address, limits);
}

base::Task<> Acceptor::serve(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                             Gate::Ticket ticket) {
  const Gate::Ticket place = std::move(ticket);  // given back after the session is gone
  Session session(services_, gate_, std::move(executor), std::move(stream));
  const Registration registration(*this, session);
  const base::Watchdog::Watch watch(services_.watchdog, "smtp session", session.client().address,
                                    session.ends_by());
  try {
    co_await session.run();
  } catch (const std::bad_alloc&) {
    session.abandon();
    throw;
  }
}

base::Task<> Acceptor::refuse(std::unique_ptr<ports::Stream> stream, GateRefusal refusal) {
  const smtp::Reply reply(421, {4, 7, 0}, describe(refusal));
  mail::Client client;
  client.address = plain_address(stream->peer().address).to_string();
  services_.refusals.write(
      network_of(stream->peer().address),
      rejected_event({"connect", client, nullptr, {}}, reply, services_.clock.wall()),
      services_.clock.steady());
  const std::string wire = reply.wire();
  const base::Deadline deadline{services_.clock.steady() + kRefusalSpan};
  const auto sent = co_await stream->write(wire, deadline);
  static_cast<void>(sent);  // closed either way
  stream->close();
}

void Acceptor::drain() {
  gate_.close();
  const std::lock_guard lock(mutex_);
  for (const auto& resident : residents_) {
    boost::asio::post(resident.second.executor, [this, number = resident.first] { hurry(number); });
  }
}

void Acceptor::hurry(std::uint64_t number) {
  Session* session = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = residents_.find(number);
    if (found != residents_.end()) session = found->second.session;
  }
  // On the session's own shard, so it cannot end between the look and the call.
  if (session != nullptr) session->hurry();
}

base::Task<bool> Acceptor::drained(base::Deadline deadline) {
  while (gate_.inside() != 0) {
    if (deadline.passed(services_.clock.steady())) co_return false;
    co_await services_.clock.sleep_until(services_.clock.steady() + kDrainPoll);
  }
  co_return true;
}

}  // namespace relay::inbound
