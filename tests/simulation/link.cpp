#include "tests/simulation/link.hpp"

#include <algorithm>
#include <utility>

namespace relay::simulation {

using ports::IoError;
using std::chrono::milliseconds;

Link::~Link() { close(false); }

void Link::say(std::string text, Step step, milliseconds delay, bool drip) {
  if (ended_ || closed_) return;
  const auto last = pieces_.empty() ? clock_.steady() : pieces_.back().at;
  const auto at = std::max(clock_.steady() + delay, last);
  owed_.push_back({step, clock_.steady()});
  if (drip && text.size() > 1) {
    const auto begin = last;
    const auto gap = (at - begin) / static_cast<std::int64_t>(text.size());
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      pieces_.push_back({begin + gap * static_cast<std::int64_t>(i + 1), text.substr(i, 1)});
    }
    text.erase(0, text.size() - 1);
  }
  pieces_.push_back({at, std::move(text), true});
  reader_.ring();
}

void Link::keep_silent(Step step) {
  if (ended_ || closed_) return;
  owed_.push_back({step, clock_.steady()});
}

void Link::hang_up(IoError error, milliseconds delay) {
  if (ended_ || closed_) return;
  ended_ = true;
  end_ = error;
  end_at_ = clock_.steady() + delay;
  if (error == IoError::Reset) {
    std::erase_if(pieces_, [this](const Piece& piece) { return piece.at > end_at_; });
  } else if (!pieces_.empty()) {
    end_at_ = std::max(end_at_, pieces_.back().at);
  }
  reader_.ring();
  writer_.ring();
}

void Link::arrive() {
  if (read_ == ready_.size() && read_ > 0) {
    ready_.clear();
    read_ = 0;
  }
  while (!pieces_.empty() && pieces_.front().at <= clock_.steady()) {
    ready_ += pieces_.front().text;
    if (pieces_.front().ends_reply) ends_.push_back(ready_.size());
    pieces_.pop_front();
  }
  if (end_ == IoError::Reset && end_at_ <= clock_.steady()) {
    ready_.clear();
    read_ = 0;
    ends_.clear();
  }
}

std::optional<Step> Link::unread_reply() {
  if (owed_.empty()) return std::nullopt;
  return owed_.back().step;
}

std::optional<IoError> Link::end_reached() const {
  if (closed_) return IoError::Closed;
  if (end_ && end_at_ <= clock_.steady()) return end_;
  return std::nullopt;
}

base::SteadyTime Link::next_arrival() const {
  base::SteadyTime next = base::SteadyTime::max();
  if (!pieces_.empty()) next = pieces_.front().at;
  if (end_) next = std::min(next, end_at_);
  return next;
}

base::Task<std::expected<std::size_t, IoError>> Link::read_some(std::span<char> into,
                                                                base::Deadline deadline) {
  for (;;) {
    if (deadline.passed(clock_.steady())) co_return std::unexpected(IoError::Timeout);
    arrive();
    const std::size_t octets = std::min(ready_.size() - read_, into.size());
    if (octets > 0 && !closed_) {
      std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(read_), octets, into.begin());
      read_ += octets;
      while (!ends_.empty() && ends_.front() <= read_) {
        ends_.pop_front();
        owed_.pop_front();
      }
      if (read_ == ready_.size()) {
        ready_.clear();
        read_ = 0;
      }
      co_return octets;
    }
    if (const auto end = end_reached()) co_return std::unexpected(*end);
    const base::Cut::Wait watched(deadline.cut, [this] { reader_.ring(); });
    co_await clock_.sleep_until(std::min(next_arrival(), deadline.at), reader_);
  }
}

base::Task<std::expected<void, IoError>> Link::write(std::string_view octets,
                                                     base::Deadline deadline) {
  std::expected<void, IoError> ok;
  while (!closed_ && !ended_ && !peer_->reads()) {
    if (deadline.passed(clock_.steady())) co_return std::unexpected(IoError::Timeout);
    const base::Cut::Wait watched(deadline.cut, [this] { writer_.ring(); });
    co_await clock_.sleep_until(deadline.at, writer_);
  }
  if (deadline.passed(clock_.steady())) co_return std::unexpected(IoError::Timeout);
  if (closed_) co_return std::unexpected(IoError::Closed);
  const auto end = end_reached();
  // A write to a closed socket is answered by a reset, which the next write reports.
  if (end == IoError::Reset || wrote_into_nothing_) co_return std::unexpected(IoError::Reset);
  if (ended_) {
    wrote_into_nothing_ = end.has_value();
    co_return ok;
  }
  peer_->receive(octets);
  co_return ok;
}

bool Link::has_unread() {
  arrive();
  return read_ < ready_.size();
}

void Link::close(bool died) noexcept {
  if (std::exchange(closed_, true)) return;
  Farewell farewell{.died = died};
  if (!owed_.empty()) {
    farewell.step = owed_.front().step;
    farewell.waited =
        std::chrono::duration_cast<milliseconds>(clock_.steady() - owed_.front().since);
    const bool arrived = !ends_.empty();
    farewell.awaiting = !ended_ && !arrived;
  }
  peer_->client_left(farewell);
  reader_.ring();
  writer_.ring();
}

}  // namespace relay::simulation
