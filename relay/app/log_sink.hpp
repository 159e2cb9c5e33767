// The log: JSON lines to stderr or a file, written by a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "relay/app/redaction.hpp"
#include "relay/base/log.hpp"
#include "relay/base/published.hpp"

namespace spdlog {
class logger;
}

namespace relay::app {

/// Lines wait in a bounded ring; when it is full the oldest is dropped and counted, because mail
/// must not wait for a log volume. Lines that are to be kept (base::Event::keep) are passed over:
/// they come from operators, who wait for their answers. The writing thread rests 5 ms between two
/// writes, so that lines leave together: a wake-up and a write for each would cost as much as a
/// small message's way through the spool.
class LogSink final : public base::Log {
 public:
  /// `file` empty: stderr. Otherwise appended to, created with mode 0640. Error: why not opened.
  static std::expected<std::unique_ptr<LogSink>, std::string> open(const std::string& file);

  ~LogSink() override;

  void write(base::Event event) override;

  /// Applies to what is written from now on.
  void redact(std::shared_ptr<const Redaction> redaction) {
    redaction_.publish(std::move(redaction));
  }

  /// Waits until everything written so far is out.
  void flush();

  /// Lines that never left, since the start.
  std::uint64_t dropped() const;

 private:
  LogSink() = default;

  struct Line {
    std::string text;
    bool kept = false;
  };

  using Lines = std::deque<Line>;

  void drop_oldest();
  void run();
  bool put_out(const Lines& lines);

  base::Published<Redaction> redaction_{std::make_shared<const Redaction>()};
  std::shared_ptr<spdlog::logger> logger_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  Lines waiting_;
  std::uint64_t taken_ = 0;  ///< lines given to write(), dropped ones with them
  std::uint64_t out_ = 0;    ///< of those, lines that are out or dropped
  std::uint64_t dropped_ = 0;
  bool asleep_ = false;   ///< the writer waits for the first line
  bool hurried_ = false;  ///< somebody waits in flush()
  bool stopping_ = false;
  std::jthread writer_;
};

}  // namespace relay::app
