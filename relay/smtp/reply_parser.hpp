// Reads the replies of a remote server octet by octet (RFC 5321 §4.2). Every limit is checked
// before anything is kept: the peer may be hostile, since anybody can make us connect by causing a
// bounce (guarantee "A hostile server costs one session").
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/status.hpp"

namespace relay::smtp {

inline constexpr std::size_t kMaxReplyLines = 512;
inline constexpr std::size_t kMaxReplyOctets = 64UL * 1024;
inline constexpr std::size_t kMaxReplyLineOctets = 4UL * 1024;
inline constexpr std::size_t kMaxReplyTextOctets = 1024;  ///< what RemoteReply::text() keeps

/// One complete reply, all its lines.
struct RemoteReply {
  int code = 0;                                ///< 200-599
  std::optional<mail::EnhancedStatus> status;  ///< of this reply only; its class agrees with code
  std::vector<std::string> lines;              ///< after the code, as received, without line ends

  bool positive() const { return code >= 200 && code < 300; }

  bool temporary() const { return code >= 400 && code < 500; }

  bool permanent() const { return code >= 500; }

  /// All lines as received, enhanced codes included, joined with '\n' and cut to
  /// kMaxReplyTextOctets: a DSN repeats the reply as it was (RFC 3461 §9.2). Untrusted octets.
  std::string text() const;
};

enum class ReplyError {
  LineTooLong,
  TooManyLines,
  TooLarge,
  Malformed,   ///< no code of three digits followed by space, hyphen or the end of the line
  CodeRange,   ///< a code outside 200-599
  MixedCodes,  ///< a multiline reply whose codes differ
};

std::string_view describe(ReplyError error);

/// Incremental. An error is permanent: the connection can only be closed.
class ReplyParser {
 public:
  void feed(std::string_view octets) { pending_.append(octets); }

  /// The next complete reply; nullopt: more octets are needed.
  std::expected<std::optional<RemoteReply>, ReplyError> next();

  /// True when no octet is unread, not even half a reply: only then may the next command be sent,
  /// or TLS begin.
  bool idle() const { return pending_.size() == consumed_ && !reply_ && !error_; }

 private:
  std::unexpected<ReplyError> fail(ReplyError error);
  std::expected<bool, ReplyError> take_line(
      std::string_view line);  ///< true: it was the last of its reply

  std::string pending_;
  std::size_t consumed_ = 0;  ///< octets of pending_ that are already in reply_
  std::size_t octets_ = 0;    ///< octets of the reply being read
  std::optional<RemoteReply> reply_;
  std::optional<ReplyError> error_;
};

}  // namespace relay::smtp
