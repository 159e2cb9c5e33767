// Between the delivery side and its queue.
#include <algorithm>
#include <mutex>
#include <set>

#include "tests/controls/done_update.hpp"
#include "tests/controls/passing_queue.hpp"
#include "tests/controls/sabotage.hpp"

namespace relay::controls {

namespace {

using mail::RecipientState;

class DoneBeforeDot final : public PassingQueue {
 public:
  using PassingQueue::PassingQueue;

  Answer<mail::QueuedMessage> load(mail::MessageId id,
                                   std::vector<std::uint16_t> indices) override {
    auto loaded = co_await below().load(id, std::move(indices));
    if (!loaded) co_return loaded;
    ports::Update update{.id = id, .copies = {}};
    for (const mail::QueuedRecipient& copy : loaded->recipients) {
      if (copy.state != RecipientState::Waiting) continue;
      update.copies.push_back(done_update(copy.route.index, copy.attempts, copy.changes, now()));
    }
    if (!update.copies.empty()) static_cast<void>(co_await below().record(std::move(update)));
    co_return loaded;
  }
};

class DsnForgotten final : public PassingQueue {
 public:
  using PassingQueue::PassingQueue;

  Answer<ports::RecordAnswer> record(ports::Update update) override {
    for (ports::CopyUpdate& copy : update.copies) copy.notify = ports::Notify::Nobody;
    return below().record(std::move(update));
  }
};

/// As if the claim on a copy were not given back after an attempt: this process never begins with
/// it again.
class ClaimKept final : public PassingQueue {
 public:
  using PassingQueue::PassingQueue;

  Answer<ports::RecordAnswer> record(ports::Update update) override {
    {
      const std::lock_guard lock(mutex_);
      for (const ports::CopyUpdate& copy : update.copies) kept_.insert({update.id, copy.index});
    }
    return below().record(std::move(update));
  }

  Answer<ports::DuePage> due(std::optional<ports::DueCursor> after, std::size_t limit) override {
    co_return without_kept(co_await below().due(std::move(after), limit));
  }

  Answer<ports::DuePage> due_in_lane(ports::LaneKey lane, std::optional<ports::DueCursor> after,
                                     std::size_t limit) override {
    co_return without_kept(co_await below().due_in_lane(std::move(lane), std::move(after), limit));
  }

 private:
  using Page = std::expected<ports::DuePage, ports::SpoolError>;

  Page without_kept(Page page) {
    const std::lock_guard lock(mutex_);
    if (page) {
      std::erase_if(page->copies,
                    [this](const ports::DueCopy& due) { return kept_.contains(due.copy); });
    }
    return page;
  }

  std::mutex mutex_;
  std::set<mail::CopyId> kept_;
};

class FallbackFinal final : public PassingQueue {
 public:
  using PassingQueue::PassingQueue;

  Answer<ports::RecordAnswer> record(ports::Update update) override {
    for (ports::CopyUpdate& copy : update.copies) {
      const mail::DeliveryAttempt& last = copy.attempts.back();
      const bool in_the_clear = last.tls.empty() && last.tls_result != mail::TlsResult::None;
      const bool is_refused = last.code >= 500 && last.stage < mail::Stage::Data;
      if (copy.state != RecipientState::Waiting || !in_the_clear || !is_refused) continue;
      copy.state = RecipientState::Failed;
      copy.end = mail::End::Refused;
      copy.notify = ports::Notify::OfFailure;
    }
    return below().record(std::move(update));
  }
};

}  // namespace

std::unique_ptr<ports::DeliveryQueue> sabotaged(std::string_view sabotage,
                                                ports::DeliveryQueue& below) {
  if (sabotage == "done-before-dot") return std::make_unique<DoneBeforeDot>(below);
  if (sabotage == "dsn-outside-transaction") return std::make_unique<DsnForgotten>(below);
  if (sabotage == "claim-kept") return std::make_unique<ClaimKept>(below);
  if (sabotage == "fallback-final") return std::make_unique<FallbackFinal>(below);
  return nullptr;
}

}  // namespace relay::controls
