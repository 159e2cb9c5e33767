// Reads the content after DATA: finds its end (guarantee "Content has one end"), removes the dots
// added for transparency, and passes the rest on unchanged. Knows nothing of headers, storage or
// sockets.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace relay::smtp {

/// Why content must not be stored. The first fault of a message is the one reported.
enum class ContentFault : std::uint8_t {
  None,
  BareLineEnd,  ///< CR or LF alone: servers disagree about it, which smuggling exploits
  Nul,          ///< BINARYMIME is not offered
  LineTooLong,
  TooLarge,  ///< over the announced SIZE
};

std::string_view describe(ContentFault fault);

/// Limits of one message, in octets.
struct ContentLimits {
  std::uint64_t content = std::numeric_limits<std::uint64_t>::max();  ///< after un-stuffing
  std::uint64_t line = 64ULL * 1024;  ///< without CRLF; a longer line is refused, never folded
};

/// Finds the end of data and removes stuffed dots (RFC 5321 §4.5.2), however the content is divided
/// into chunks. Only CRLF "." CRLF ends it, or "." CRLF as its very first line. A fault does not
/// end it: everything up to the true end is consumed, so that no part is ever taken for commands.
class DataReader {
 public:
  explicit DataReader(ContentLimits limits) : limits_(limits) {}

  /// Takes octets as received; returns how many belong to this content (all of them until
  /// finished()). Calls `sink` with spans of clean content, in order, which point into `octets` or
  /// to a literal; never after a fault. Sink: void(std::string_view).
  template <class Sink>
  std::size_t feed(std::string_view octets, Sink&& sink);

  bool finished() const { return state_ == State::Finished; }

  ContentFault fault() const { return fault_; }

  std::uint64_t size() const { return size_; }  ///< octets of content seen, un-stuffed

 private:
  enum class State : std::uint8_t {
    LineStart,  ///< at the very start, or after CRLF
    Dot,        ///< after a dot that begins a line; that dot is not content
    DotCr,      ///< after that dot and a CR
    Line,       ///< inside a line
    LineCr,     ///< after a CR inside a line; the CR is held back until LF follows
    Finished,
  };

  /// What scan() found: a span of content, possibly empty, and how many octets it used.
  struct Piece {
    std::string_view content;
    std::size_t consumed = 0;
  };

  /// Scans until content must be passed on or the octets are used up. Precondition: not empty.
  Piece scan(std::string_view octets);
  /// Resolves, by the next octet, a state in which an octet was held back.
  Piece settle(char octet);
  /// The fast path: scans text and whole lines.
  Piece scan_lines(std::string_view octets);

  void blame(ContentFault fault) {
    if (fault_ == ContentFault::None) fault_ = fault;
  }

  void count_line(std::size_t octets);

  ContentLimits limits_;
  std::uint64_t size_ = 0;
  std::uint64_t line_ = 0;  ///< octets of the current line so far, without CRLF
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
