// The log: JSON lines to stderr or a file, written by its own thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "relay/app/redaction.hpp"
#include "relay/base/log.hpp"
#include "relay/base/log_file.hpp"
#include "relay/base/published.hpp"

namespace relay::app {

/// Lines wait in a bounded ring; if it is full, the oldest line is dropped and counted, because
/// mail must not wait for a log volume. Lines to be kept (base::Event::keep) are not dropped: they
/// come from verbs of operators, who wait for the answers. The writing thread pauses for 5 ms
/// between two writes, so that lines are written together: a wake-up and a write for each line
/// would cost as much as storing a small message.
class LogSink final : public base::Log {
 public:
  /// Empty `file`: stderr. Otherwise appended to, and created with mode 0640. The error says why.
  static std::expected<std::unique_ptr<LogSink>, std::string> open(const std::string& file);

  /// The error that open() would report, as far as it can be told without creating anything.
  static std::expected<void, std::string> look_at(const std::string& file);

  /// Waits as flush() does; a file system that hangs can delay it longer.
  ~LogSink() override;

  void write(base::Event event) override;

  /// Applies to lines from now on.
  void redact(std::shared_ptr<const Redaction> redaction) {
    redaction_.publish(std::move(redaction));
  }

  static constexpr std::chrono::milliseconds kPatience{1000};
  static constexpr std::chrono::milliseconds kLongestStall{200};

  /// Waits until all lines so far are written, for kPatience at most, and not for a reader who has
  /// not read for kLongestStall, be it before this call. False: they are not.
  bool flush();

  /// Like flush(), as the last call: lines not written by then are lost, and later calls do not
  /// wait for them.
  void end();

  /// Opens the log file anew by its name and writes there from now on: the old file was moved away,
  /// and may be compressed. The error says why that failed; the old file then stays in use.
  std::expected<void, std::string> reopen();

  /// Calls reopen() and logs an error.
  void reopen_or_tell(base::WallTime now);

  /// Like reopen(), with another file that is open already; empty `name`: stderr. Cannot fail.
  void go_on_in(std::string name, base::LogFile file);

  /// Lines lost since the start, because memory or disk was full.
  std::uint64_t dropped() const;

 private:
  LogSink(std::string name, base::LogFile file) : file_(std::move(file)), name_(std::move(name)) {}

  struct Line {
    std::string text;
    bool kept = false;
    base::Severity severity = base::Severity::Info;
  };

  using Lines = std::deque<Line>;

  void drop_oldest();
  void run();
  std::size_t put_out(const Lines& lines);
  bool wait_while_read(std::condition_variable& change, std::unique_lock<std::mutex>& lock,
                       const std::function<bool()>& done);

  base::Published<Redaction> redaction_{std::make_shared<const Redaction>()};
  base::LogFile file_;  ///< used by the writer only, once it runs

  mutable std::mutex mutex_;
  std::string name_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::condition_variable ended_;
  Lines waiting_;
  std::uint64_t taken_ = 0;  ///< lines given to write(), dropped ones included
  std::uint64_t out_ = 0;    ///< of these, lines written or dropped
  std::uint64_t dropped_ = 0;
  bool asleep_ = false;   ///< the writer waits for a line
  bool hurried_ = false;  ///< flush() is waiting
  bool stopping_ = false;
  bool has_ended_ = false;                  ///< the writer has ended
  std::optional<base::LogFile> next_file_;  ///< the file that the writer shall use next
  base::WriteProgress progress_;
  std::jthread writer_;
};

}  // namespace relay::app
