#include "relay/app/log_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <new>
#include <utility>

#include <unistd.h>

#include "relay/base/may_access.hpp"
#include "relay/base/stderr_line.hpp"

namespace relay::app {

namespace {

constexpr std::size_t kRingLines = 16'384;
// The limit for lines to be kept. A change of all copies of the largest queue logs a sixth of it.
constexpr std::size_t kMostLines = 4 * kRingLines;
constexpr std::chrono::milliseconds kRest{5};
constexpr std::chrono::milliseconds kStep{10};

}  // namespace

std::expected<std::unique_ptr<LogSink>, std::string> LogSink::open(const std::string& file) {
  auto opened = base::LogFile::open(file);
  if (!opened) return std::unexpected(opened.error());
  std::unique_ptr<LogSink> log(new LogSink(file, std::move(*opened)));
  log->writer_ = std::jthread([raw = log.get()] { raw->run(); });
  return log;
}

std::expected<void, std::string> LogSink::look_at(const std::string& file) {
  if (file.empty()) return {};
  std::error_code ignored;
  const auto refused = [&file](const char* why) {
    return std::unexpected("cannot open log file " + file + ": " + why);
  };
  if (std::filesystem::is_directory(file, ignored)) return refused(std::strerror(EISDIR));
  std::filesystem::path place(file);
  if (!std::filesystem::exists(file, ignored)) {
    // Missing folders would be created: check the nearest one that exists.
    do place = place.has_parent_path() ? place.parent_path() : std::filesystem::path(".");
    while (!std::filesystem::exists(place, ignored) && place.has_relative_path());
    if (!base::may_access(place.c_str(), W_OK | X_OK)) return refused(std::strerror(errno));
    if (!std::filesystem::is_directory(place, ignored)) return refused(std::strerror(ENOTDIR));
    return {};
  }
  if (!base::may_access(file.c_str(), W_OK)) return refused(std::strerror(errno));
  return {};
}

LogSink::~LogSink() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
    // After flush() has given up, no call waits a second time.
    if (!progress_.gives_up) wait_while_read(ended_, lock, [this] { return has_ended_; });
  }
  progress_.gives_up = true;
}

void LogSink::write(base::Event event) {
  const bool kept = event.kept();
  const base::Severity severity = event.severity();
  std::string text = std::move(event).line();
  const auto redaction = redaction_.get();
  if (redaction->active()) text = redaction->redacted(text);
  bool sleeps = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kRingLines) drop_oldest();
    waiting_.push_back({std::move(text), kept, severity});
    ++taken_;
    sleeps = std::exchange(asleep_, false);
  }
  if (sleeps) wake_.notify_one();
}

/// Precondition: mutex_ is held.
void LogSink::drop_oldest() {
  auto oldest = std::ranges::find(waiting_, false, &Line::kept);
  if (oldest == waiting_.end() && waiting_.size() < kMostLines) return;
  if (oldest == waiting_.end()) oldest = waiting_.begin();
  waiting_.erase(oldest);
  ++dropped_;
  ++out_;
}

void LogSink::run() {
  Lines lines;
  const auto wanted = [this] { return stopping_ || next_file_ || !waiting_.empty(); };
  std::unique_lock lock(mutex_);
  while (true) {
    asleep_ = true;
    wake_.wait(lock, wanted);
    asleep_ = false;
    if (next_file_) file_ = std::move(*std::exchange(next_file_, std::nullopt));
    if (waiting_.empty() && stopping_) break;
    lines.swap(waiting_);
    lock.unlock();
    const std::size_t out = put_out(lines);
    lock.lock();
    out_ += lines.size();
    dropped_ += lines.size() - out;
    lines.clear();
    written_.notify_all();
    wake_.wait_for(lock, kRest, [this] { return stopping_ || hurried_; });
  }
  has_ended_ = true;
  ended_.notify_all();
}

/// Writes all lines as one text and returns how many were written. Without memory for the text,
/// these lines are lost and the daemon goes on.
std::size_t LogSink::put_out(const Lines& lines) {
  try {
    std::string text;
    for (const Line& line : lines) {
      if (file_.wants_priority()) text += base::journal_priority(line.severity);
      (text += line.text) += '\n';
    }
    return file_.write(text, progress_);
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

bool LogSink::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = taken_;
  hurried_ = true;
  wake_.notify_one();
  const bool out = wait_while_read(written_, lock, [this, wanted] { return out_ >= wanted; });
  hurried_ = false;
  return out;
}

void LogSink::end() {
  if (!flush()) progress_.gives_up = true;
}

bool LogSink::wait_while_read(std::condition_variable& change, std::unique_lock<std::mutex>& lock,
                              const std::function<bool()>& done) {
  for (auto waited = kStep; !change.wait_for(lock, kStep, done); waited += kStep) {
    const bool is_read = progress_.waited_ms < kLongestStall.count();
    if (!is_read || waited >= kPatience) return false;
  }
  return true;
}

std::expected<void, std::string> LogSink::reopen() {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = name_;
  }
  if (name.empty()) return {};
  auto next = base::LogFile::open(name);
  if (!next) return std::unexpected(next.error());
  go_on_in(std::move(name), std::move(*next));
  return {};
}

void LogSink::reopen_or_tell(base::WallTime now) {
  if (auto reopened = reopen(); !reopened) {
    base::Event event("log", now, base::Severity::Warning);
    event.text("problem", reopened.error())
        .text("consequence", "the file opened before stays in use");
    // Landlock allows folders, not their names: one that was made anew is not allowed.
    if (reopened.error().ends_with(std::strerror(EACCES))) {
      event.text("hint", "if its folder was made anew, this needs a restart");
    }
    write(std::move(event));
  }
}

void LogSink::go_on_in(std::string name, base::LogFile file) {
  const std::lock_guard lock(mutex_);
  name_ = std::move(name);
  next_file_ = std::move(file);
  wake_.notify_one();
}

std::uint64_t LogSink::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace relay::app
