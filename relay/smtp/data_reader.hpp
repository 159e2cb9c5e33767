// Reads the content behind DATA: finds its end, takes the transparency dots away, and hands the
// rest out unchanged. Knows nothing of headers, storage or sockets.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace relay::smtp {

/// Why content must not be stored. The first fault of a message is the one reported.
enum class ContentFault : std::uint8_t {
  None,
  BareLineEnd,  ///< CR or LF alone: where lines end is what smuggling lies about
  Nul,          ///< BINARYMIME is not offered
  LineTooLong,
  TooLarge,  ///< over the announced SIZE
};

std::string_view describe(ContentFault fault);

/// Limits of one message, in octets.
struct ContentLimits {
  std::uint64_t content = std::numeric_limits<std::uint64_t>::max();  ///< after un-stuffing
  std::uint64_t line = 64ULL * 1024;  ///< without CRLF; longer is refused, never folded
};

/// End-of-data detector and dot-unstuffer (RFC 5321 §4.5.2), over any division into chunks.
/// Only CRLF "." CRLF ends the content, or "." CRLF as its very first line. A fault does not end
/// it: everything up to the true end is consumed, so that none of it is ever taken for commands.
class DataReader {
 public:
  explicit DataReader(ContentLimits limits) : limits_(limits) {}

  /// Takes octets as they came; returns how many belong to this content (all of them until
  /// finished()). `sink` is called with spans of clean content, in order, pointing into `octets` or
  /// to a literal; never after a fault. Sink: void(std::string_view).
  template <class Sink>
  std::size_t feed(std::string_view octets, Sink&& sink);

  bool finished() const { return state_ == State::Finished; }

  ContentFault fault() const { return fault_; }

  std::uint64_t size() const { return size_; }  ///< octets of content seen, un-stuffed

 private:
  enum class State : std::uint8_t {
    LineStart,  ///< at the very start, or behind CRLF
    Dot,        ///< behind a dot that opens a line; it is not content
    DotCr,      ///< behind that dot and CR
    Line,       ///< inside a line
    LineCr,     ///< behind a CR inside a line; held back until LF is there
    Finished,
  };

  /// What scan() found: a span of content, possibly empty, and how far it came.
  struct Piece {
    std::string_view content;
    std::size_t consumed = 0;
  };

  /// Goes on until content must be handed out or the octets are used up. Precondition: not empty.
  Piece scan(std::string_view octets);
  /// Settles, by one octet, a state in which an earlier octet was held back.
  Piece settle(char octet);
  /// Goes through text and whole lines: the fast path.
  Piece scan_lines(std::string_view octets);

  void blame(ContentFault fault) {
    if (fault_ == ContentFault::None) fault_ = fault;
  }

  void count_line(std::size_t octets);

  ContentLimits limits_;
  std::uint64_t size_ = 0;
  std::uint64_t line_ = 0;  ///< octets of the present line, without CRLF
  State state_ = State::LineStart;
  ContentFault fault_ = ContentFault::None;
};

template <class Sink>
std::size_t DataReader::feed(std::string_view octets, Sink&& sink) {
  std::size_t used = 0;
  while (used < octets.size() && !finished()) {
    const Piece piece = scan(octets.substr(used));
    used += piece.consumed;
    size_ += piece.content.size();
    if (size_ > limits_.content) blame(ContentFault::TooLarge);
    if (!piece.content.empty() && fault_ == ContentFault::None) sink(piece.content);
  }
  return used;
}

}  // namespace relay::smtp
