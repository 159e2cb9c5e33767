// One JSON line per event. The log is the record of what happened to a message; every event of one
// message carries the same "msg_id".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "relay/base/time.hpp"

namespace relay::base {

enum class Severity { Debug, Info, Warning, Error };

/// Builds one event, field by field, in order. Texts are untrusted and escaped here, so no caller
/// can break a line (guarantee "A stranger cannot write a log line"). Keys are literals in our
/// code.
///   Event("attempt", now).text("msg_id", id).number("code", 250)
class Event {
 public:
  Event(std::string_view name, WallTime now, Severity severity = Severity::Info);

  Event& text(std::string_view key, std::string_view value);  ///< at most 512 octets are kept
  Event& number(std::string_view key, std::int64_t value);
  Event& flag(std::string_view key, bool value);
  Event& list(std::string_view key, std::span<const std::string> values);  ///< each as text()

  /// Opens a nested object; fields go into it until close().
  Event& open(std::string_view key);
  Event& close();

  /// Exempts this event from being dropped when the log is full: operators' actions are always
  /// logged.
  Event& keep();

  /// The finished line, without line feed.
  std::string line() &&;

  Severity severity() const { return severity_; }

  bool kept() const { return kept_; }

 private:
  void key(std::string_view name);

  std::string json_;
  int depth_ = 1;
  Severity severity_;
  bool kept_ = false;
};

/// Where events go. Thread-safe; never blocks the caller (an overflow is counted, not awaited).
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(Event event) = 0;
};

/// RFC 3339 in UTC with milliseconds: 2026-11-24T03:14:15.926Z.
std::string rfc3339(WallTime time);

}  // namespace relay::base
