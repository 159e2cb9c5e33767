// Message content as it goes on the wire: transparency and the one end of data (RFC 5321 §4.5.2).
// The other half of the defence against smuggling: whatever is stored, the stream that leaves
// us holds exactly one <CRLF>.<CRLF>, and no shape of it that a careless server takes for one.
#pragma once

#include <string>
#include <string_view>

namespace relay::smtp {

/// Streaming: any split of the content gives the same octets.
class DotStuffer {
 public:
  /// Appends `chunk` to `wire`, a dot doubled wherever a line begins with one. False when the
  /// content holds a bare CR, a bare LF or NUL: we never accept such, so the store is not what we
  /// put there; the caller must drop the connection without finish().
  [[nodiscard]] bool put(std::string_view chunk, std::string& wire);

  /// Appends the end of data, completing an unfinished last line. False as put().
  [[nodiscard]] bool finish(std::string& wire);

 private:
  bool line_start_ = true;
  bool after_cr_ = false;
  bool sound_ = true;
};

}  // namespace relay::smtp
