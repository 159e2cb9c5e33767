// Where log lines end: a file, or stderr, written so that nobody who reads slowly holds us for
// long.
#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace relay::app {

class LogFile {
 public:
  /// `path` empty: stderr. Otherwise appended to; made with mode 0640 whatever the umask, and the
  /// folders that are missing with it. Error: why not.
  static std::expected<LogFile, std::string> open(const std::string& path);

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  /// Writes whole lines, each with its line feed. Waits for room until `gives_up` is set. Returns
  /// how many lines are out; of one that is out in part the rest is lost, and the next text begins
  /// a new line.
  std::size_t write(std::string_view lines, const std::atomic<bool>& gives_up);

  /// Lines are to begin with "<N>", N being the priority of syslog (sd-daemon(3)): it is stderr,
  /// and the journal is what reads it.
  bool wants_priority() const { return wants_priority_; }

 private:
  enum class Kind { File, Socket, Stream };

  explicit LogFile(int descriptor, bool owned);

  bool wait_for_room(const std::atomic<bool>& gives_up) const;

  int descriptor_ = -1;
  bool owned_ = false;
  Kind kind_ = Kind::File;
  bool wants_priority_ = false;
  bool is_torn_ = false;  ///< the last line that was begun has no end
};

}  // namespace relay::app
