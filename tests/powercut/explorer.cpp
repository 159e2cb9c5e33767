#include "tests/powercut/explorer.hpp"

#include <algorithm>

#include "tests/spool/a_message.hpp"

namespace relay::powercut {

using Kind = Operation::Kind;
using spool::kNow;

namespace {

// One image in so many lives on: that takes as long as twenty others.
constexpr std::uint64_t kSecondLives = 200;

}  // namespace

Explorer::Explorer(const Recording& recording, std::uint64_t seed, Remembering* remembering)
    : recording_(recording), random_(seed), disk_(remembering), clock_(kNow), cut_(random_) {
  disk_.remember(false);
}

void Explorer::judge(Files files, const Promises& promises) {
  ++verdict_.images;
  disk_.load(std::move(files));
  try {
    auto opened = spool::OpenedDatabase::open(recording_.database, clock_);
    if (!opened) return verdict_.trouble(&Verdict::unopened, opened.error());
    promises.judge(*opened, verdict_);
  } catch (const std::runtime_error& error) {
    verdict_.trouble(&Verdict::damaged, error.what());
  }
}

/// Starts from the image, which is what the disk holds, accepts and delivers a little, and is cut
/// at every moment of that.
void Explorer::live_on(const Files& files) {
  ++verdict_.second_lives;
  disk_.load(files);
  disk_.remember(true);
  try {
    auto opened = spool::OpenedDatabase::open(recording_.database, clock_);
    if (opened) live(*opened);
  } catch (const std::runtime_error& error) {
    verdict_.trouble(&Verdict::damaged, error.what());
  }
  const std::vector<Operation> log = disk_.take_log();
  disk_.remember(false);
  Promises promises = promises_;
  CutDisk cut(random_, files);
  for (const Operation& operation : log) {
    cut.advance(operation);
    if (operation.kind == Kind::Fact) promises.advance(operation.fact);
    // Each moment costs an opening: a third of them.
    if (random_() % 3 == 0) judge(cut.image(static_cast<unsigned>(random_() % 4)), promises);
  }
}

/// As the writer does, one transaction at a time.
void Explorer::live(spool::OpenedDatabase& queue) {
  using State = Fact::State;
  spool::Tables& tables = *queue.tables;
  for (int round = 0; round < 2; ++round) {
    const auto made = spool::a_message(std::string(random_() % 5000, 's'));
    const auto cut = spool::ContentCut::of(made);
    queue.transactions->begin();
    if (!tables.acceptance.accept(made, *cut, kNow)) throw std::runtime_error("refused");
    queue.transactions->commit();
    disk_.note(
        {.kind = Fact::Kind::Acknowledged, .id = made.message.id, .states = {State::Waiting}});
    const auto due = tables.due.due(std::nullopt, 3, kNow);
    for (const ports::DueCopy& one : due.page.copies) {
      if (!promises_.knows(one.copy.message)) continue;
      const auto loaded = tables.reader.load(one.copy.message, {one.copy.index});
      if (!loaded) throw std::runtime_error("what is due cannot be loaded");
      // Nothing that was requested in the first life has happened.
      Fact fact{.kind = Fact::Kind::Answered,
                .id = one.copy.message,
                .index = one.copy.index,
                .state = State::Waiting};
      disk_.note(fact);
      fact.kind = Fact::Kind::Asked;
      fact.state = State::Ended;
      disk_.note(fact);
      queue.transactions->begin();
      static_cast<void>(tables.outcomes.record(
          {.id = one.copy.message,
           .copies = {spool::outcome(one.copy.index, mail::RecipientState::Delivered,
                                     loaded->recipients.front().attempts)}},
          kNow));
      queue.transactions->commit();
      fact.kind = Fact::Kind::Answered;
      disk_.note(fact);
    }
  }
}

Verdict Explorer::explore(std::uint64_t images, std::uint64_t enough) {
  const std::size_t moments = recording_.operations.size();
  const auto per_moment = std::max<std::uint64_t>(1, images / std::max<std::size_t>(moments, 1));
  const std::uint64_t skipped = images < moments ? moments / images : 1;
  for (std::size_t moment = 0; moment < moments && verdict_.troubles() < enough; ++moment) {
    const bool good_before = verdict_.example.empty();
    const Operation& operation = recording_.operations[moment];
    cut_.advance(operation);
    if (operation.kind == Kind::Fact) promises_.advance(operation.fact);
    if (random_() % skipped != 0) continue;
    ++verdict_.moments;
    // Nothing pending: there is one image only.
    const std::uint64_t count = cut_.is_settled() ? 1 : per_moment;
    for (std::uint64_t variant = 0; variant < count; ++variant) {
      // A single image per moment is a different one each time.
      const auto chosen = static_cast<unsigned>(count == 1 ? random_() % 4 : variant);
      const Files files = cut_.image(chosen);
      judge(files, promises_);
      if (random_() % kSecondLives == 0) live_on(files);
    }
    if (good_before && !verdict_.example.empty()) {
      verdict_.example = "after operation " + std::to_string(moment) + ": " + verdict_.example;
    }
  }
  return verdict_;
}

}  // namespace relay::powercut
