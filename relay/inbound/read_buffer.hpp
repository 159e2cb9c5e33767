// The one buffer a session reads into. It bounds the unread octets of a session, and is small while
// the client says little: most sessions wait, and one that waits needs room for a command only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
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
  static constexpr std::size_t kOctets = 16UL * 1024;  // one TLS record; the most it holds
  static constexpr std::size_t kLittle = 512;          // a few commands (RFC 5321 §4.5.3.1.4)

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

  /// While it exists, content comes: reads are large.
  class Content {
   public:
    explicit Content(ReadBuffer& buffer) : buffer_(buffer) { buffer_.expects_much_ = true; }

    ~Content() { buffer_.expects_much_ = false; }

    Content(const Content&) = delete;
    Content& operator=(const Content&) = delete;

   private:
    ReadBuffer& buffer_;
  };

  std::string_view pending() const { return {octets() + begin_, end_ - begin_}; }

  bool empty() const { return begin_ == end_; }

  /// Precondition: octets <= pending().size().
  void consume(std::size_t octets) {
    begin_ += octets;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// The space to read into; never empty while the front is an incomplete line. Throws
  /// std::bad_alloc, and then nothing has changed.
  std::span<char> room() {
    const bool wants_much = expects_much_ || was_filled_ || end_ - begin_ >= kLittle;
    if (wants_much && !much_) {
      auto much = std::make_unique_for_overwrite<char[]>(kOctets);
      move_front_to(much.get());
      much_ = std::move(much);
    } else if (!wants_much && much_) {
      move_front_to(little_.data());
      much_.reset();
    } else if (begin_ != 0) {
      move_front_to(octets());
    }
    return {octets() + end_, size() - end_};
  }

  void filled(std::size_t octets) {
    end_ += octets;
    was_filled_ = end_ == size();
  }

 private:
  std::size_t size() const { return much_ ? kOctets : kLittle; }

  const char* octets() const { return much_ ? much_.get() : little_.data(); }

  char* octets() { return much_ ? much_.get() : little_.data(); }

  void move_front_to(char* place) {
    std::copy(octets() + begin_, octets() + end_, place);
    end_ -= begin_;
    begin_ = 0;
  }

  // Uninitialised: only [begin_, end_) is read.
  std::array<char, kLittle> little_;
  std::unique_ptr<char[]> much_;  ///< kOctets of them; null: little_ is in use
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool was_filled_ = false;  ///< the last read filled all of it: more may have come
  bool expects_much_ = false;
};

}  // namespace relay::inbound
