// Runs the contract tests over every store.
#pragma once

#include <memory>

#include "tests/spool/queue_case.hpp"

namespace relay::spool {

class QueueContract : public QueueCase, public testing::WithParamInterface<StoreKind> {
 protected:
  void SetUp() override {
    QueueCase::SetUp();
    store_ = GetParam().open(folder_, clock_);
  }

  void TearDown() override {
    store_.reset();
    QueueCase::TearDown();
  }

  Clients clients() override { return store_->clients(); }

  void restart() { store_->restart(); }

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace relay::spool
