// Base of the tests of a queue, for every store.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"
#include "tests/spool/stores.hpp"
#include "tests/support/run_task.hpp"

namespace relay::spool {

class QueueCase : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The one under test.
  virtual ports::Store& queue() = 0;

  ports::IntakeQueue& intake() { return queue().intake(); }

  ports::DeliveryQueue& delivery() { return queue().delivery(); }

  ports::OperatorQueue& operators() { return queue().operators(); }

  ports::ConsentQueue& consent() { return queue().consent(); }

  ports::TokenStore& tokens() { return queue().tokens(); }

  ports::GreylistStore& greylist() { return queue().greylist(); }

  template <class T>
  T run(base::Task<T> task) {
    return support::run_task(io_, std::move(task));
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
};

}  // namespace relay::spool
