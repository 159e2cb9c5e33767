#include "tests/simulation/watched_queue.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace relay::simulation {

using ports::SpoolError;
template <class T>
using Answer = std::expected<T, SpoolError>;

base::Task<> StoreMood::dawdle() {
  if (world_.spool_delays == 0) co_return;
  if (random_.chance(world_.spool_delays)) {
    const auto span = random_.between(0, world_.spool_delay.count());
    co_await clock_.sleep_until(clock_.steady() + std::chrono::milliseconds(span));
  } else if (random_.chance(500)) {
    co_await boost::asio::post(base::use_task);
  }
}

std::optional<SpoolError> StoreMood::read_error() const {
  return failing_ == SpoolError::Unavailable ? failing_ : std::nullopt;
}

std::optional<SpoolError> StoreMood::content_error() {
  const bool fails = world_.read_errors > 0 && clock_.since_start_ms() < world_.heals_at &&
                     random_.chance(world_.read_errors);
  return fails ? SpoolError::Unavailable : read_error();
}

template <class T>
base::Task<Answer<T>> WatchedQueue::read_through(base::Task<Answer<T>> call,
                                                 std::optional<mail::MessageId> content_of) {
  co_await mood_.dawdle();
  const auto error = content_of ? mood_.content_error() : mood_.read_error();
  if (error && content_of) judge_.content_unreadable(*content_of);
  if (error) co_return std::unexpected(*error);
  auto answer = co_await std::move(call);
  co_await mood_.dawdle();
  co_return answer;
}

base::Task<Answer<mail::QueuedMessage>> WatchedQueue::load(mail::MessageId id,
                                                           std::vector<std::uint16_t> indices) {
  return read_through(inner_.load(id, std::move(indices)));
}

base::Task<Answer<std::string>> WatchedQueue::read(mail::MessageId id, std::uint32_t sequence) {
  return read_through(inner_.read(id, sequence), id);
}

base::Task<Answer<ports::RecordAnswer>> WatchedQueue::record(ports::Update update) {
  co_await mood_.dawdle();
  const auto error = mood_.write_error();
  const bool applies = !error || (*error == SpoolError::Unknown && mood_.applies());
  Answer<ports::RecordAnswer> answer = std::unexpected(error.value_or(SpoolError::Full));
  if (applies) {
    answer = co_await inner_.record(update);
    if (answer) {
      judge_.recorded(update, *answer);
    } else {
      judge_.gone(update);
    }
  }
  co_await mood_.dawdle();
  if (error) co_return std::unexpected(*error);
  judge_.heard(update);
  co_return answer;
}

base::Task<Answer<void>> WatchedQueue::hold_damaged(mail::MessageId id) {
  return inner_.hold_damaged(id);
}

base::Task<Answer<ports::DuePage>> WatchedQueue::due(std::optional<ports::DueCursor> after,
                                                     std::size_t limit) {
  return read_through(inner_.due(after, limit));
}

base::Task<Answer<ports::DuePage>> WatchedQueue::due_in_lane(ports::LaneKey lane,
                                                             std::optional<ports::DueCursor> after,
                                                             std::size_t limit) {
  return read_through(inner_.due_in_lane(std::move(lane), after, limit));
}

base::Task<Answer<std::vector<ports::WaitingLane>>> WatchedQueue::waiting_lanes(
    std::optional<ports::LaneKey> after, std::size_t limit) {
  return read_through(inner_.waiting_lanes(std::move(after), limit));
}

base::Task<Answer<std::optional<std::chrono::milliseconds>>> WatchedQueue::next_due_in() {
  return read_through(inner_.next_due_in());
}

base::Task<Answer<std::size_t>> WatchedQueue::undo_far_due_times(std::chrono::milliseconds longest,
                                                                 std::size_t limit) {
  return read_through(inner_.undo_far_due_times(longest, limit));
}

base::Task<Answer<std::vector<mail::MessageId>>> WatchedQueue::reports_due(std::size_t limit) {
  return read_through(inner_.reports_due(limit));
}

base::Task<Answer<std::optional<std::chrono::milliseconds>>> WatchedQueue::next_report_in() {
  return read_through(inner_.next_report_in());
}

base::Task<Answer<ports::Notices>> WatchedQueue::notices(mail::MessageId id) {
  return read_through(inner_.notices(id));
}

base::Task<Answer<void>> WatchedQueue::report(ports::Report report) {
  co_await mood_.dawdle();
  const auto error = mood_.write_error();
  const bool applies = !error || (*error == SpoolError::Unknown && mood_.applies());
  Answer<void> answer = std::unexpected(error.value_or(SpoolError::Full));
  if (applies) {
    answer = co_await inner_.report(report);
    if (answer) judge_.notices.reported(report);
  }
  co_await mood_.dawdle();
  if (error) co_return std::unexpected(*error);
  co_return answer;
}

}  // namespace relay::simulation
