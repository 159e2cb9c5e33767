#include "relay/smtp/dot_stuffer.hpp"

#include "relay/smtp/octet_scan.hpp"

namespace relay::smtp {

bool DotStuffer::put(std::string_view chunk, std::string& wire) {
  const char* at = chunk.data();
  const char* const end = at + chunk.size();
  wire.reserve(wire.size() + chunk.size() + 64);
  while (sound_ && at != end) {
    if (after_cr_) {
      after_cr_ = false;
      line_start_ = true;
      sound_ = *at == '\n';
      wire += *at++;
      continue;
    }
    if (line_start_ && *at == '.') wire += '.';
    const char* stop = find_line_octet(at, end);
    // The usual case takes a whole line with its CRLF.
    if (end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n') {
      stop += 2;
      line_start_ = true;
    } else if (stop != end) {
      sound_ = *stop++ == '\r';
      after_cr_ = sound_;
    } else {
      line_start_ = false;
    }
    wire.append(at, stop);
    at = stop;
  }
  return sound_;
}

bool DotStuffer::finish(std::string& wire) {
  if (!sound_ || after_cr_) return sound_ = false;
  wire += line_start_ ? ".\r\n" : "\r\n.\r\n";
  sound_ = false;  // a second end of data would be a second message
  return true;
}

}  // namespace relay::smtp
