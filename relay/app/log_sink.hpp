// The log: JSON lines to stderr or a file, written by a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "relay/app/log_file.hpp"
#include "relay/app/redaction.hpp"
#include "relay/base/log.hpp"
#include "relay/base/published.hpp"

namespace relay::app {

/// Lines wait in a bounded ring; when it is full the oldest is dropped and counted, because mail
/// must not wait for a log volume. Lines that are to be kept (base::Event::keep) are passed over:
/// they come from operators, who wait for their answers. The writing thread rests 5 ms between two
/// writes, so that lines leave together: a wake-up and a write for each would cost as much as a
/// small message's way through the spool.
class LogSink final : public base::Log {
 public:
  /// `file` empty: stderr. Otherwise appended to, made with mode 0640. Error: why not opened.
  static std::expected<std::unique_ptr<LogSink>, std::string> open(const std::string& file);

  /// Why open() would refuse, as far as that can be seen without making anything.
  static std::expected<void, std::string> look_at(const std::string& file);

  /// Waits kPatience for what is not out yet; a file system that hangs holds it all the same.
  ~LogSink() override;

  void write(base::Event event) override;

  /// Applies to what is written from now on.
  void redact(std::shared_ptr<const Redaction> redaction) {
    redaction_.publish(std::move(redaction));
  }

  static constexpr std::chrono::seconds kPatience{1};

  /// Waits until everything written so far is out, at most kPatience: whoever reads the log may
  /// have stopped. False: it is not.
  bool flush();

  /// What is written from now on goes into the file that has the name now: the old one was moved
  /// away, and may be compressed. Error: why it cannot be opened; the old one stays in use.
  std::expected<void, std::string> reopen();

  /// reopen(), and a line in the log where that fails.
  void reopen_or_tell(base::WallTime now);

  /// As reopen(), for a file of another name that was opened before; "": stderr. Cannot fail.
  void go_on_in(std::string name, LogFile file);

  /// Lines that never left, since the start: for want of room in memory or on the disk.
  std::uint64_t dropped() const;

 private:
  LogSink(std::string name, LogFile file) : file_(std::move(file)), name_(std::move(name)) {}

  struct Line {
    std::string text;
    bool kept = false;
    base::Severity severity = base::Severity::Info;
  };

  using Lines = std::deque<Line>;

  void drop_oldest();
  void run();
  std::size_t put_out(const Lines& lines);

  base::Published<Redaction> redaction_{std::make_shared<const Redaction>()};
  LogFile file_;  ///< the writer's alone, once it runs

  mutable std::mutex mutex_;
  std::string name_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::condition_variable ended_;
  Lines waiting_;
  std::uint64_t taken_ = 0;  ///< lines given to write(), dropped ones with them
  std::uint64_t out_ = 0;    ///< of those, lines that are out or dropped
  std::uint64_t dropped_ = 0;
  bool asleep_ = false;   ///< the writer waits for the first line
  bool hurried_ = false;  ///< somebody waits in flush()
  bool stopping_ = false;
  bool has_ended_ = false;             ///< the writer has
  std::optional<LogFile> next_file_;   ///< for the writer to go on with
  std::atomic<bool> gives_up_{false};  ///< the writer waits for room no longer
  std::jthread writer_;
};

}  // namespace relay::app
