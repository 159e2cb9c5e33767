// Encodes message content for the wire: doubles leading dots and adds the end of data (RFC 5321
// §4.5.2). Whatever is stored, the stream that we send holds exactly one <CRLF>.<CRLF>, and no
// variant that a lax server would take for it (guarantee "What leaves has one end").
#pragma once

#include <string>
#include <string_view>

namespace relay::smtp {

/// Takes content in pieces; any division gives the same octets.
class DotStuffer {
 public:
  /// Appends `chunk` to `wire` and doubles each dot that begins a line. False when the content
  /// holds a bare CR, a bare LF or a NUL: we never accept such content, so what is stored is
  /// damaged, and the caller must drop the connection without finish().
  [[nodiscard]] bool put(std::string_view chunk, std::string& wire);

  /// Appends the end of data, after completing an unfinished last line. False for damaged content,
  /// as put(), and when called twice.
  [[nodiscard]] bool finish(std::string& wire);

 private:
  bool line_start_ = true;
  bool after_cr_ = false;
  bool sound_ = true;
};

}  // namespace relay::smtp
