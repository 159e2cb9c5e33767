// For what is promised of the queue on SQLite alone: its files can be looked at, and its options
// chosen.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tests/spool/queue_case.hpp"

namespace relay::spool {

class SqliteCase : public QueueCase {
 protected:
  void SetUp() override {
    QueueCase::SetUp();
    open();
  }

  void TearDown() override {
    sqlite_.reset();
    QueueCase::TearDown();
  }

  ports::Store& queue() override { return *sqlite_; }

  std::string path() const { return (folder_ / "queue.db").string(); }

  SpoolOptions options() const {
    return {.path = path(), .greylist_rows = kGreylistRows, .clock = &clock_};
  }

  void open() { open(options()); }

  void open(const SpoolOptions& options) {
    sqlite_.reset();
    auto opened = SqliteSpool::open(options);
    ASSERT_TRUE(opened) << opened.error();
    sqlite_ = std::move(*opened);
  }

  std::unique_ptr<SqliteSpool> sqlite_;
};

}  // namespace relay::spool
