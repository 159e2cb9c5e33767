// A queue of each kind for the tests of what all queues promise: the real one in a folder of its
// own, and the one in memory that stands for it elsewhere.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "relay/spool/sqlite_spool.hpp"
#include "tests/dns/turn_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"

namespace relay::spool {

enum class Which { Memory, Sqlite };

class QueueContract : public testing::TestWithParam<Which> {
 protected:
  static constexpr std::int64_t kGreylistRows = 40;

  void SetUp() override {
    std::filesystem::remove_all(folder_);
    open();
  }

  void TearDown() override {
    sqlite_.reset();
    std::filesystem::remove_all(folder_);
  }

  SpoolOptions options() const {
    return {.path = path(), .greylist_rows = kGreylistRows, .clock = &clock_};
  }

  void open() { open(options()); }

  void open(const SpoolOptions& options) {
    if (GetParam() == Which::Memory) {
      if (!memory_) memory_ = std::make_unique<fakes::MemorySpool>(clock_, kGreylistRows);
      memory_->forget_uncommitted();
      return;
    }
    sqlite_.reset();
    auto opened = SqliteSpool::open(options);
    ASSERT_TRUE(opened) << opened.error();
    sqlite_ = std::move(*opened);
  }

  std::string path() const { return (folder_ / "queue.db").string(); }

  ports::IntakeQueue& intake() { return memory_ ? memory_->intake() : sqlite_->intake(); }

  ports::DeliveryQueue& delivery() { return memory_ ? memory_->delivery() : sqlite_->delivery(); }

  ports::OperatorQueue& operators() {
    return memory_ ? memory_->operators() : sqlite_->operators();
  }

  ports::ConsentQueue& consent() { return memory_ ? memory_->consent() : sqlite_->consent(); }

  ports::TokenStore& tokens() { return memory_ ? memory_->tokens() : sqlite_->tokens(); }

  ports::GreylistStore& greylist() { return memory_ ? memory_->greylist() : sqlite_->greylist(); }

  template <class T>
  T run(base::Task<T> task) {
    return dns::turn_loop(io_, std::move(task));
  }

  mail::MessageId add(ports::NewMessage made) {
    const auto id = made.message.id;
    const auto proof = run(intake().commit(std::move(made)));
    EXPECT_TRUE(proof) << (proof ? "" : describe(proof.error()));
    if (proof) EXPECT_EQ(proof->id(), id);
    return id;
  }

  ports::RecordAnswer record(const mail::MessageId& id, std::vector<ports::CopyUpdate> copies) {
    const auto answer = run(delivery().record({.id = id, .copies = std::move(copies)}));
    EXPECT_TRUE(answer) << (answer ? "" : describe(answer.error()));
    return answer.value_or(ports::RecordAnswer());
  }

  mail::QueuedMessage load(const mail::MessageId& id, std::vector<std::uint16_t> indices = {0}) {
    const auto loaded = run(delivery().load(id, std::move(indices)));
    EXPECT_TRUE(loaded) << (loaded ? "" : describe(loaded.error()));
    return loaded.value_or(mail::QueuedMessage());
  }

  bool is_gone(const mail::MessageId& id) {
    const auto rows = run(operators().copies(id));
    return !rows && rows.error() == ports::SpoolError::NotFound;
  }

  /// All of it, chunk for chunk.
  std::string content_of(const mail::MessageId& id) {
    std::string all;
    for (std::uint32_t sequence = 0;; ++sequence) {
      const auto chunk = run(delivery().read(id, sequence));
      if (!chunk) return "error " + std::string(describe(chunk.error()));
      if (chunk->empty()) return all;
      all += *chunk;
    }
  }

  /// Applies the action to all that the filter selects, slice by slice.
  std::vector<mail::CopyId> change(const ports::QueueFilter& filter, ports::QueueAction action,
                                   const std::string& reason = "as ordered") {
    std::vector<mail::CopyId> changed;
    std::optional<mail::CopyId> after;
    do {
      const auto slice = run(operators().change(filter, action, reason, after));
      EXPECT_TRUE(slice);
      if (!slice) break;
      changed.insert(changed.end(), slice->changed.begin(), slice->changed.end());
      after = slice->next;
    } while (after);
    return changed;
  }

  /// All that is due, page by page.
  std::vector<ports::DueCopy> due_now() {
    std::vector<ports::DueCopy> found;
    std::optional<ports::DueCursor> after;
    do {
      auto page = run(delivery().due(after, 10));
      EXPECT_TRUE(page);
      if (!page) break;
      EXPECT_LE(page->copies.size(), 10U);
      std::ranges::move(page->copies, std::back_inserter(found));
      after = page->next;
    } while (after);
    return found;
  }

  std::vector<ports::QueueRow> list(const ports::QueueFilter& filter, std::size_t limit = 100) {
    std::vector<ports::QueueRow> rows;
    std::optional<mail::CopyId> after;
    do {
      auto page = run(operators().list(filter, after, limit));
      EXPECT_TRUE(page);
      if (!page) break;
      EXPECT_LE(page->rows.size(), limit);
      std::ranges::move(page->rows, std::back_inserter(rows));
      after = page->next;
    } while (after);
    return rows;
  }

  static ports::QueueFilter where(ports::QueueCondition::Field field, const std::string& text) {
    return {{{.field = field, .text = text}}};
  }

  static ports::QueueFilter with_id(const mail::MessageId& id) {
    return where(ports::QueueCondition::Field::Id, id.to_string());
  }

  fakes::FakeClock clock_{kNow};
  boost::asio::io_context io_;
  const std::filesystem::path folder_ = queue_folder("queue");
  std::unique_ptr<fakes::MemorySpool> memory_;
  std::unique_ptr<SqliteSpool> sqlite_;
};

inline std::string name_of(const testing::TestParamInfo<Which>& info) {
  return info.param == Which::Memory ? "Memory" : "Sqlite";
}

inline const auto kBoth = testing::Values(Which::Memory, Which::Sqlite);

}  // namespace relay::spool
