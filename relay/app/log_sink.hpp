// The log: JSON lines to stderr or a file, written by a thread of its own.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "relay/app/redaction.hpp"
#include "relay/base/log.hpp"
#include "relay/base/published.hpp"

namespace spdlog {
class async_logger;

namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace relay::app {

/// Lines wait in a bounded ring; when it is full the oldest is overwritten and counted, because
/// mail must not wait for a log volume.
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

  std::uint64_t dropped() const;

 private:
  LogSink() = default;

  base::Published<Redaction> redaction_{std::make_shared<const Redaction>()};
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace relay::app
