// Where log lines are written: a file, or stderr; a slow reader delays us for a limited time only.
#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace relay::base {

/// What a writer and the thread that waits for it tell each other.
struct WriteProgress {
  std::atomic<bool> gives_up{false};  ///< the writer shall not wait for room any more
  /// How long the writer has been waiting for room, in steps of 50 ms. Only a reader who does not
  /// read makes it wait: a regular file has room, or an error.
  std::atomic<int> waited_ms{0};
};

class LogFile {
 public:
  /// Empty `path`: stderr. Otherwise opens the file for appending; creates it with mode 0640,
  /// whatever the umask, and missing folders. A FIFO must have a reader. The error says why it
  /// failed.
  static std::expected<LogFile, std::string> open(const std::string& path);

  static LogFile of_stderr() { return LogFile(2, false); }

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  /// Writes whole lines, each ended by a line feed. Waits for room, but for no longer than 50 ms
  /// once `gives_up` is set. Returns how many lines were written; the rest of a line written in
  /// part is lost, and the next text begins on a new line.
  std::size_t write(std::string_view lines, WriteProgress& progress);

  /// True for stderr that the journal reads: then each line must begin with "<N>", where N is the
  /// syslog priority (sd-daemon(3)).
  bool wants_priority() const { return wants_priority_; }

 private:
  enum class Kind { File, Socket, Stream };

  explicit LogFile(int descriptor, bool owned);

  bool wait_for_room(WriteProgress& progress) const;

  int descriptor_ = -1;
  bool owned_ = false;
  Kind kind_ = Kind::File;
  bool wants_priority_ = false;
  bool is_torn_ = false;  ///< the last line written has no line feed yet
};

}  // namespace relay::base
