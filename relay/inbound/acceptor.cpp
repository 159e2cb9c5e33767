#include "relay/inbound/acceptor.hpp"

#include <chrono>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>

#include "relay/inbound/events.hpp"

namespace relay::inbound {

namespace {

constexpr std::chrono::milliseconds kRefusalSpan{1000};
constexpr std::chrono::milliseconds kDrainPoll{20};
// How often sessions that stay are told to hurry: some of them only begin to wait.
constexpr std::chrono::milliseconds kDrainHurry{1000};
constexpr std::chrono::milliseconds kDismissal{1000};
// With so many 421s being written, further connections are closed without one.
constexpr int kMaxRefusals = 64;

}  // namespace

class Acceptor::Registration {
 public:
  Registration(Acceptor& acceptor, std::uint64_t number, Session& session)
      : acceptor_(acceptor), number_(number) {
    const std::lock_guard lock(acceptor_.mutex_);
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
  const std::uint64_t number_;
};

Acceptor::Acceptor(const Services& services)
    : clock_(services.clock),
      policy_(services.policy),
      refusal_log_(services.refusals),
      watchdog_(services.watchdog),
      gate_(services.clock),
      entrance_(gate_, services.waste, services.clock),
      recipients_({.clock = services.clock,
                   .resolver = services.resolver,
                   .tokens = services.tokens,
                   .consent = services.consent,
                   .bounces = services.bounces,
                   .abuse = services.abuse,
                   .troubles = services.refusals.troubles()}),
      content_({.clock = services.clock,
                .resolver = services.resolver,
                .queue = services.queue,
                .memory = services.memory,
                .waste = services.waste,
                .troubles = services.refusals.troubles(),
                .acceptance = {.clock = services.clock,
                               .queue = services.queue,
                               .tokens = services.tokens,
                               .consent = services.consent,
                               .signer = services.signer,
                               .feed = services.feed,
                               .log = services.log,
                               .policy = services.policy,
                               .bounces = services.bounces,
                               .resends = services.resends,
                               .abuse = services.abuse}}),
      start_tls_({.clock = services.clock, .tls = services.tls, .handshakes = services.handshakes}),
      admission_parts_{.policy = services.policy, .entrance = entrance_, .abuse = services.abuse},
      session_parts_{.clock = services.clock,
                     .policy = services.policy,
                     .gate = gate_,
                     .queue = services.queue,
                     .admission = admission_parts_,
                     .tls = start_tls_,
                     .refusals = services.refusals,
                     .waste = services.waste,
                     .resends = services.resends,
                     .recipients = recipients_,
                     .content = content_},
      next_number_(static_cast<std::uint64_t>(clock_.wall().time_since_epoch().count())) {}

void Acceptor::admit(std::unique_ptr<ports::Stream> stream, const base::Executor& executor) {
  const auto policy = policy_.get();
  // A balancer that must send a PROXY header is not counted itself: the header names the client,
  // and ClientAdmission then moves the ticket to it.
  Client client =
      client_at(stream->peer().address, stream->peer().port, KnownBy::Connection, policy->arrival);
  const auto& proxies = policy->arrival.listener_at(stream->local()).proxies;
  client.is_exempt = client.is_exempt || base::contains(proxies, client.address);
  auto ticket = entrance_.enter(client, policy->limits);
  if (ticket) {
    base::spawn_supervised(executor, "smtp session",
                           serve(std::move(stream), executor, std::move(*ticket)));
    return;
  }
  if (refusals_.fetch_add(1, std::memory_order_relaxed) >= kMaxRefusals) {
    refusals_.fetch_sub(1, std::memory_order_relaxed);
    return;  // destroying the stream closes it
  }
  base::spawn_supervised(executor, "smtp refusal",
                         refuse(std::move(stream), ticket.error(), Refusing(&refusals_)));
}

base::Task<> Acceptor::serve(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                             Gate::Ticket ticket) {
  const std::uint64_t number = next_number_.fetch_add(1, std::memory_order_relaxed);
  Session session(number, session_parts_, std::move(executor), std::move(stream),
                  std::move(ticket));
  const Registration registration(*this, number, session);
  const base::Watchdog::Watch watch(watchdog_, "smtp session", session.client().address,
                                    session.ends_by());
  try {
    co_await session.run();
  } catch (const std::bad_alloc&) {
    session.abandon();
    throw;
  }
}

base::Task<> Acceptor::refuse(std::unique_ptr<ports::Stream> stream, GateRefusal refusal,
                              Refusing counted) {
  const Refusing place = std::move(counted);
  const smtp::Reply reply(421, {4, 7, 0}, describe(refusal));
  mail::Client client;
  const base::Origin origin = base::origin_of(stream->peer().address);
  client.address = origin.client;
  refusal_log_.write(origin, rejected_event({"connect", {client}}, reply, clock_.wall()),
                     clock_.steady());
  const std::string wire = reply.wire();
  const base::Deadline deadline{clock_.steady() + kRefusalSpan};
  const auto sent = co_await stream->write(wire, deadline);
  static_cast<void>(sent);  // the stream is closed either way
  stream->close();
}

void Acceptor::drain() {
  gate_.close();
  tell_all(&Session::hurry);
}

void Acceptor::tell_all(void (Session::*what)()) {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, resident] : residents_) {
    boost::asio::post(resident.executor, [this, number, what] { tell(number, what); });
  }
}

void Acceptor::tell(std::uint64_t number, void (Session::*what)()) {
  Session* session = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = residents_.find(number);
    if (found != residents_.end()) session = found->second.session;
  }
  // This runs on the session's own executor, so the session cannot end between lookup and call.
  if (session != nullptr) (session->*what)();
}

base::Task<bool> Acceptor::drained(base::Deadline deadline) {
  bool patient = true;
  base::SteadyTime hurry_at = clock_.steady() + kDrainHurry;
  while (gate_.inside() != 0) {
    const base::SteadyTime now = clock_.steady();
    if (deadline.passed(now)) {
      if (!std::exchange(patient, false)) co_return false;
      tell_all(&Session::dismiss);
      deadline = base::Deadline{now + kDismissal};
    }
    if (patient && now >= hurry_at) {
      tell_all(&Session::hurry);
      hurry_at = now + kDrainHurry;
    }
    co_await clock_.sleep_until(now + kDrainPoll);
  }
  co_return patient;
}

}  // namespace relay::inbound
