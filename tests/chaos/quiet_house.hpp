// The services that sessions need besides sockets, reduced to counters.
#pragma once

#include <mutex>
#include <set>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/ports/consent_queue.hpp"
#include "relay/ports/delivery_feed.hpp"
#include "relay/ports/greylist.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/signer.hpp"
#include "relay/ports/token_store.hpp"
#include "tests/support/logs.hpp"

namespace relay::inbound {

/// Counts drafts and messages. Thread-safe.
class CountingQueue final : public ports::IntakeQueue {
 public:
  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft, std::uint32_t,
                                                            std::string) override {
    const std::lock_guard lock(mutex_);
    drafts_.insert(draft);
    std::expected<void, ports::SpoolError> ok;
    co_return ok;
  }

  void discard(mail::MessageId draft) noexcept override {
    const std::lock_guard lock(mutex_);
    drafts_.erase(draft);
  }

  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override {
    const std::lock_guard lock(mutex_);
    drafts_.erase(message.message.id);
    ++messages_;
    co_return proof_of(message.message.id);
  }

  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_within(std::chrono::milliseconds, std::size_t) override {
    co_return std::vector<ports::RememberedMessage>();
  }

  base::WallTime now() const noexcept override { return {}; }

  bool poisoned() const noexcept override { return false; }

  std::size_t drafts() const {
    const std::lock_guard lock(mutex_);
    return drafts_.size();
  }

  std::size_t messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<mail::MessageId> drafts_;
  std::size_t messages_ = 0;
};

/// Counts messages that are expected, and neither offered nor given up. Thread-safe.
class CountingFeed final : public ports::DeliveryFeed {
 public:
  void expect(const mail::MessageId& id) override {
    const std::lock_guard lock(mutex_);
    expected_.insert(id);
  }

  void offer(ports::FreshMessage fresh) override { give_up(fresh.queued.message.id); }

  void give_up(const mail::MessageId& id) noexcept override {
    const std::lock_guard lock(mutex_);
    expected_.erase(id);
  }

  std::size_t expected() const {
    const std::lock_guard lock(mutex_);
    return expected_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::set<mail::MessageId> expected_;
};

struct NoTokens final : ports::TokenStore {
  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find(std::string) override {
    co_return std::unexpected(ports::SpoolError::NotFound);
  }

  base::Task<std::expected<bool, ports::SpoolError>> has_room(mail::SenderToken) override {
    co_return true;
  }
};

struct NoConsent final : ports::ConsentQueue {
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string>) override {
    co_return 0U;
  }

  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy>, std::size_t) override {
    co_return std::vector<ports::AwaitingCopy>();
  }

  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy>) override {
    co_return 0U;
  }
};

struct NoGreylist final : ports::GreylistStore {
  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> see(
      ports::GreylistKey, ports::GreylistRules) override {
    co_return ports::GreylistAnswer::Known;
  }
};

struct QuietSigner final : ports::Signer {
  std::string domain_for(const std::string&) const override { return "fwd.example"; }

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(ports::SignRequest) override {
    co_return ports::Signatures{.dkim_fields = "DKIM-Signature: v=1; b=fixed\r\n"};
  }
};

}  // namespace relay::inbound
