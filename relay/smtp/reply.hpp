// Replies of our server. A Reply cannot hold CR, LF or NUL, so no text of ours or of a client can
// add a line to the dialogue. Knows nothing of sessions and sockets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/status.hpp"

namespace relay::inbound {
class AcceptedReply;  // holds the CommitProof that a 250 after DATA requires
}

namespace relay::smtp {

/// One server reply (RFC 5321 §4.2), with its enhanced status code (RFC 2034) where it has one.
class Reply {
 public:
  /// "250 2.1.0 Ok". Octets of `text` other than printable ASCII become "?"; it is cut so that the
  /// line stays within 512 octets (RFC 5321 §4.5.3.1.5).
  Reply(int code, mail::EnhancedStatus status, std::string_view text);

  /// A reply without enhanced code: the banner, the reply to HELO, 354 (RFC 2034 §4).
  static Reply plain(int code, std::string_view text);

  /// Several lines, without enhanced codes: the answer to EHLO. Precondition: at least one line.
  static Reply multiline(int code, const std::vector<std::string>& lines);

  int code() const { return code_; }

  const mail::EnhancedStatus& status() const { return status_; }  ///< 0.0.0 when it has none

  const std::string& text() const { return lines_.front(); }  ///< first line, codes excluded

  bool positive() const { return code_ < 400; }

  /// Appends the reply as it goes on the wire, every line with CRLF.
  void append_to(std::string& wire) const;
  std::string wire() const;

 private:
  explicit Reply(int code) : code_(code), status_{0, 0, 0} {}

  int code_;
  mail::EnhancedStatus status_;
  std::vector<std::string> lines_;
};

/// The permission to say that a message was accepted. Only relay/inbound/accepted_reply.hpp makes
/// one, and only for a CommitProof.
class AcceptedKey {
 private:
  friend class relay::inbound::AcceptedReply;
  AcceptedKey() = default;
};

/// The reply to the end of data, by which responsibility for a message passes to us. A type of its
/// own, so that no ordinary 250 can be sent there.
class EndOfDataReply {
 public:
  /// `250 2.0.0 queued as <id>`.
  static EndOfDataReply accepted(AcceptedKey, std::string_view id);

  /// A 4xx or 5xx; any other code would be a programming error and becomes 451 4.3.0.
  static EndOfDataReply refused(const Reply& reply);

  const Reply& reply() const { return reply_; }

 private:
  explicit EndOfDataReply(Reply reply) : reply_(std::move(reply)) {}

  Reply reply_;
};

}  // namespace relay::smtp
