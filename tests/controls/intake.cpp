// Between inbound and the queue.
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "tests/controls/done_update.hpp"
#include "tests/controls/sabotage.hpp"

namespace relay::controls {

namespace {

using ports::CommitProof;
using ports::NewMessage;
using ports::SpoolError;

class PassingIntake : public ports::IntakeQueue {
 public:
  explicit PassingIntake(ports::IntakeQueue& below) : below_(below) {}

  base::WallTime now() const noexcept override { return below_.now(); }

  base::Task<std::expected<void, SpoolError>> append(mail::MessageId draft, std::uint32_t sequence,
                                                     std::string chunk) override {
    return below_.append(draft, sequence, std::move(chunk));
  }

  void discard(mail::MessageId draft) noexcept override { below_.discard(draft); }

  base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>> accepted_within(
      std::chrono::milliseconds span, std::size_t limit) override {
    return below_.accepted_within(span, limit);
  }

  bool poisoned() const noexcept override { return below_.poisoned(); }

 protected:
  ports::IntakeQueue& below() const { return below_; }

 private:
  ports::IntakeQueue& below_;
};

class EarlyReply final : public PassingIntake {
 public:
  using PassingIntake::PassingIntake;

  base::Task<std::expected<CommitProof, SpoolError>> commit(NewMessage message) override {
    const mail::MessageId id = message.message.id;
    const base::Executor executor = co_await boost::asio::this_coro::executor;
    base::spawn_supervised(executor, "late commit", commit_late(executor, std::move(message)));
    co_return proof_of(id);
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer =
      boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, base::Executor>;

  base::Task<> commit_late(base::Executor executor, NewMessage message) {
    Timer timer(executor, std::chrono::milliseconds(20));
    co_await timer.async_wait(base::use_task);
    static_cast<void>(co_await below().commit(std::move(message)));
  }
};

class DoneAtCommit final : public PassingIntake {
 public:
  DoneAtCommit(ports::IntakeQueue& below, ports::DeliveryQueue& deliveries)
      : PassingIntake(below), deliveries_(deliveries) {}

  base::Task<std::expected<CommitProof, SpoolError>> commit(NewMessage message) override {
    ports::Update update{.id = message.message.id, .copies = {}};
    for (const mail::Route& route : message.routes) {
      if (mail::state_on_entry(route) != mail::RecipientState::Waiting) continue;
      update.copies.push_back(done_update(route.index, 0, 0, now()));
    }
    auto proof = co_await below().commit(std::move(message));
    if (proof && !update.copies.empty()) {
      static_cast<void>(co_await deliveries_.record(std::move(update)));
    }
    co_return proof;
  }

 private:
  ports::DeliveryQueue& deliveries_;
};

}  // namespace

std::unique_ptr<ports::IntakeQueue> sabotaged(std::string_view sabotage, ports::IntakeQueue& below,
                                              ports::DeliveryQueue& deliveries) {
  if (sabotage == "early-reply") return std::make_unique<EarlyReply>(below);
  if (sabotage == "done-before-dot") return std::make_unique<DoneAtCommit>(below, deliveries);
  return nullptr;
}

}  // namespace relay::controls
