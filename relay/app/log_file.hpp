// Where log lines are written: a file, or stderr; a slow reader delays us for a limited time only.
#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace relay::app {

class LogFile {
 public:
  /// Empty `path`: stderr. Otherwise opens the file for appending; creates it with mode 0640,
  /// whatever the umask, and missing folders. The error says why it failed.
  static std::expected<LogFile, std::string> open(const std::string& path);

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  /// Writes whole lines, each ended by a line feed. Waits for room until `gives_up` is set. Returns
  /// how many lines were written; the rest of a line written in part is lost, and the next text
  /// begins on a new line.
  std::size_t write(std::string_view lines, const std::atomic<bool>& gives_up);

  /// True for stderr that the journal reads: then each line must begin with "<N>", where N is the
  /// syslog priority (sd-daemon(3)).
  bool wants_priority() const { return wants_priority_; }

 private:
  enum class Kind { File, Socket, Stream };

  explicit LogFile(int descriptor, bool owned);

  bool wait_for_room(const std::atomic<bool>& gives_up) const;

  int descriptor_ = -1;
  bool owned_ = false;
  Kind kind_ = Kind::File;
  bool wants_priority_ = false;
  bool is_torn_ = false;  ///< the last line written has no line feed yet
};

}  // namespace relay::app
