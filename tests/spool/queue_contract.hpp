// Runs the contract tests over every store.
#pragma once

#include <memory>

#include "tests/spool/queue_case.hpp"

namespace relay::spool {

class QueueContract : public QueueCase, public testing::WithParamInterface<StoreKind> {
 protected:
  void SetUp() override {
    QueueCase::SetUp();
    tested_ = GetParam().open(folder_, clock_);
  }

  void TearDown() override {
    tested_.reset();
    QueueCase::TearDown();
  }

  ports::Store& queue() override { return tested_->store(); }

  void restart() { tested_->restart(); }

 private:
  std::unique_ptr<TestedStore> tested_;
};

}  // namespace relay::spool
