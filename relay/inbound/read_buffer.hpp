// The one buffer a session reads into. Its fixed size bounds the unread octets of a session.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "relay/smtp/command.hpp"

namespace relay::inbound {

/// The state of the line at the front of the buffer.
enum class LineState {
  Incomplete,   ///< no line end yet: read more
  Complete,     ///< ended by CRLF
  BareLineEnd,  ///< ended by LF without CR
  TooLong,      ///< no line end within smtp::kMaxCommandOctets
};

class ReadBuffer {
 public:
  static constexpr std::size_t kOctets = 16UL * 1024;  // one TLS record

  struct Line {
    LineState state = LineState::Incomplete;
    std::string_view text;   ///< without line end; valid until the next room() or consume()
    std::size_t octets = 0;  ///< with line end: what to consume
  };

  Line front_line() const {
    const std::string_view front = pending().substr(0, smtp::kMaxCommandOctets);
    const std::size_t end = front.find('\n');
    if (end == std::string_view::npos) {
      const bool full = front.size() == smtp::kMaxCommandOctets;
      return {full ? LineState::TooLong : LineState::Incomplete, {}, 0};
    }
    if (end == 0 || front[end - 1] != '\r') {
      return {LineState::BareLineEnd, front.substr(0, end), end + 1};
    }
    return {LineState::Complete, front.substr(0, end - 1), end + 1};
  }

  std::string_view pending() const { return {octets_.data() + begin_, end_ - begin_}; }

  bool empty() const { return begin_ == end_; }

  /// Precondition: octets <= pending().size().
  void consume(std::size_t octets) {
    begin_ += octets;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// The space to read into; never empty while the front is an incomplete line.
  std::span<char> room() {
    if (begin_ != 0) {
      std::copy(octets_.data() + begin_, octets_.data() + end_, octets_.data());
      end_ -= begin_;
      begin_ = 0;
    }
    return std::span(octets_).subspan(end_);
  }

  void filled(std::size_t octets) { end_ += octets; }

 private:
  std::array<char, kOctets> octets_;  // uninitialised: only [begin_, end_) is read
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace relay::inbound
