// Logs for tests that read the lines, or do not.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "relay/base/log.hpp"

namespace relay::support {

/// Any thread may write; the test reads the members when nobody writes.
class RecordingLog final : public base::Log {
 public:
  void write(base::Event event) override {
    const std::lock_guard lock(mutex_);
    kept.push_back(event.kept());
    lines.push_back(std::move(event).line());
  }

  std::vector<std::string> lines;
  std::vector<bool> kept;  ///< of each line: exempt from being dropped

 private:
  std::mutex mutex_;
};

class SilentLog final : public base::Log {
 public:
  void write(base::Event /*event*/) override {}
};

}  // namespace relay::support
