// A store in memory for tests of its clients; passes the same contract tests as those on disks. A
// change is visible at once, as after a commit. Can fail at a chosen call; a commit that fails
// leaves nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "relay/ports/store.hpp"
#include "relay/ports/store_report.hpp"
#include "tests/fakes/memory_delivery.hpp"
#include "tests/fakes/memory_greylist.hpp"
#include "tests/fakes/memory_intake.hpp"
#include "tests/fakes/memory_operator.hpp"

namespace relay::fakes {

class MemorySpool final : public ports::Store {
 public:
  /// The clock that it reads; outlives it.
  explicit MemorySpool(const ports::Clock& clock, std::size_t max_greylist_rows = 1'000'000);
  MemorySpool(const MemorySpool&) = delete;
  MemorySpool& operator=(const MemorySpool&) = delete;

  ports::IntakeQueue& intake() override { return intake_; }

  ports::DeliveryQueue& delivery() override { return delivery_; }

  ports::OperatorQueue& operators() override { return operators_; }

  ports::ConsentQueue& consent() override { return consent_; }

  ports::TokenStore& tokens() override { return tokens_; }

  ports::GreylistStore& greylist() override { return greylist_; }

  ports::StoreReport report() const override;

  std::uint64_t free_octets() const override { return std::numeric_limits<std::uint64_t>::max(); }

  void add_to(base::Registry& /*registry*/) const override {}

  bool poisoned() const noexcept override { return core_.poisoned; }

  void close() override;

  /// As the next process would after close(), or after this one died without it.
  void open_again();

  /// The n-th writing call from here (1: the next) fails with `error`. With Unknown it is carried
  /// out all the same; Poisoned stays.
  void fail_write(int n, ports::SpoolError error);

  /// Called after a change is visible and before its caller is resumed; the second one for reading
  /// calls. Empty: the caller is resumed at once.
  void before_answer(std::function<base::Task<>()> hook) { core_.before_answer = std::move(hook); }

  void before_read_answer(std::function<base::Task<>()> hook) {
    core_.before_read_answer = std::move(hook);
  }

  /// Makes the rows of the message unreadable; or its content from this chunk on, until it is
  /// mended.
  void damage(const mail::MessageId& id);
  void damage_content(const mail::MessageId& id, std::uint32_t first_chunk = 0);

  void mend_content(const mail::MessageId& id) { damage_content(id, UINT32_MAX); }

  std::size_t messages() const;
  std::size_t drafts() const;
  std::size_t greylist_rows() const;
  std::vector<ports::Update> updates() const;  ///< everything recorded, in order

 private:
  mutable MemoryCore core_;
  MemoryIntake intake_;
  MemoryDelivery delivery_;
  MemoryOperator operators_;
  MemoryConsent consent_;
  MemoryTokens tokens_;
  MemoryGreylist greylist_;
  ports::StoreReport report_;
};

}  // namespace relay::fakes
