#include "tests/simulation/watched_desk.hpp"

#include "tests/simulation/letters.hpp"

namespace relay::simulation {

using ports::QueueAction;
using ports::SpoolError;
template <class T>
using Answer = std::expected<T, SpoolError>;

namespace {

bool takes_back(QueueAction action) {
  return action != QueueAction::Retry && action != QueueAction::Release;
}

}  // namespace

base::Task<Answer<ports::QueuePage>> WatchedOperators::list(ports::QueueFilter filter,
                                                            std::optional<mail::CopyId> after,
                                                            std::size_t limit) {
  return inner_.list(std::move(filter), after, limit);
}

base::Task<Answer<std::vector<ports::QueueRow>>> WatchedOperators::copies(mail::MessageId id) {
  return inner_.copies(id);
}

base::Task<Answer<std::vector<ports::AttemptRow>>> WatchedOperators::attempts(mail::MessageId id) {
  return inner_.attempts(id);
}

base::Task<Answer<std::string>> WatchedOperators::read(mail::MessageId id, std::uint32_t sequence) {
  return inner_.read(id, sequence);
}

base::Task<Answer<ports::ChangedSlice>> WatchedOperators::change(
    ports::QueueFilter filter, QueueAction action, std::string reason,
    std::optional<mail::CopyId> after) {
  co_await mood_.dawdle();
  if (const auto error = mood_.write_error()) co_return std::unexpected(*error);
  // The operator's order, whatever the store was asked for.
  const auto [ordered, verb] = ordered_with(reason);
  auto slice = co_await inner_.change(std::move(filter), action, std::move(reason), after);
  if (slice) {
    // The answer also counts copies held before that may still be taken.
    auto meant = slice->changed;
    meant.insert(meant.end(), slice->held_before.begin(), slice->held_before.end());
    judge_.verbs.changed(ordered, meant);
    judge_.verbs.await_answer(verb, ordered, std::move(meant));
    if (!takes_back(ordered)) {
      const auto due = judge_.verbs.answered(ordered, slice->changed, 0);
      moving_.copies.insert(moving_.copies.end(), due.begin(), due.end());
    }
  }
  co_await mood_.dawdle();
  co_return slice;
}

base::Task<Answer<ports::QueueTotals>> WatchedOperators::totals() { return inner_.totals(); }

base::Task<Answer<ports::PauseRule>> WatchedOperators::pause(
    ports::PauseRule::Kind kind, std::string value, std::string reason,
    std::optional<std::chrono::milliseconds> span) {
  co_await mood_.dawdle();
  if (const auto error = mood_.write_error()) co_return std::unexpected(*error);
  const auto rule = co_await inner_.pause(kind, std::move(value), std::move(reason), span);
  co_await mood_.dawdle();
  co_return rule;
}

base::Task<Answer<bool>> WatchedOperators::resume(ports::PauseRule::Kind kind, std::string value) {
  co_await mood_.dawdle();
  if (const auto error = mood_.write_error()) co_return std::unexpected(*error);
  const auto gone = co_await inner_.resume(kind, std::move(value));
  co_await mood_.dawdle();
  co_return gone;
}

base::Task<Answer<std::vector<ports::PauseRule>>> WatchedOperators::pauses() {
  co_await mood_.dawdle();
  if (const auto error = mood_.read_error()) co_return std::unexpected(*error);
  auto rules = co_await inner_.pauses();
  co_await mood_.dawdle();
  co_return rules;
}

std::size_t WatchedControl::withdraw(const std::vector<mail::CopyId>& copies) {
  const std::size_t under_way = inner_.withdraw(copies);
  judge_.verbs.answered(QueueAction::Hold, copies, under_way);
  return under_way;
}

void WatchedControl::wake() {
  inner_.wake();
  judge_.fairness.expect_move(std::exchange(moving_.copies, {}));
}

void WatchedControl::set_pauses(std::vector<ports::PauseRule> rules) {
  judge_.pauses.set(rules);
  inner_.set_pauses(std::move(rules));
}

}  // namespace relay::simulation
