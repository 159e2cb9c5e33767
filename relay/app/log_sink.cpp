#include "relay/app/log_sink.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace relay::app {

namespace {

constexpr std::size_t kRingLines = 16'384;
// Beyond that many nothing is kept: a change of all copies of the largest queue is a sixth of it.
constexpr std::size_t kMostLines = 4 * kRingLines;
constexpr std::chrono::milliseconds kRest{5};

}  // namespace

std::expected<std::unique_ptr<LogSink>, std::string> LogSink::open(const std::string& file) {
  std::unique_ptr<LogSink> log(new LogSink);
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    log->logger_ = std::make_shared<spdlog::logger>("srs-relay", std::move(sink));
    log->logger_->set_pattern("%v");
    log->logger_->flush_on(spdlog::level::info);
  } catch (const std::exception& problem) {
    return std::unexpected(std::string(problem.what()));
  }
  log->writer_ = std::jthread([raw = log.get()] { raw->run(); });
  return log;
}

LogSink::~LogSink() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
}

void LogSink::write(base::Event event) {
  const bool kept = event.kept();
  std::string text = std::move(event).line();
  const auto redaction = redaction_.get();
  if (redaction->active()) text = redaction->redacted(text);
  bool sleeps = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kRingLines) drop_oldest();
    waiting_.push_back({std::move(text), kept});
    ++taken_;
    sleeps = std::exchange(asleep_, false);
  }
  if (sleeps) wake_.notify_one();
}

/// With the lock held.
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
  const auto wanted = [this] { return stopping_ || !waiting_.empty(); };
  std::unique_lock lock(mutex_);
  while (true) {
    asleep_ = true;
    wake_.wait(lock, wanted);
    asleep_ = false;
    if (waiting_.empty()) return;
    lines.swap(waiting_);
    lock.unlock();
    const bool out = put_out(lines);
    lock.lock();
    out_ += lines.size();
    if (!out) dropped_ += lines.size();
    lines.clear();
    written_.notify_all();
    wake_.wait_for(lock, kRest, [this] { return stopping_ || hurried_; });
  }
}

/// One text for all of them, handed over as a view and not as a format string: log text is data.
/// False: there was no memory for it, which costs these lines and not the daemon.
bool LogSink::put_out(const Lines& lines) {
  try {
    std::string text;
    for (const Line& line : lines) {
      if (!text.empty()) text += '\n';
      text += line.text;
    }
    logger_->log(spdlog::level::info, spdlog::string_view_t(text));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void LogSink::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = taken_;
  hurried_ = true;
  wake_.notify_one();
  written_.wait(lock, [this, wanted] { return out_ >= wanted; });
  hurried_ = false;
}

std::uint64_t LogSink::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace relay::app
