#include "relay/app/log_sink.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace relay::app {

namespace {

constexpr std::size_t kRingLines = 16'384;

spdlog::level::level_enum level_of(base::Severity severity) {
  switch (severity) {
    case base::Severity::Debug:
      return spdlog::level::debug;
    case base::Severity::Info:
      return spdlog::level::info;
    case base::Severity::Warning:
      return spdlog::level::warn;
    case base::Severity::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

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
    log->pool_ = std::make_shared<spdlog::details::thread_pool>(kRingLines, 1);
    log->logger_ = std::make_shared<spdlog::async_logger>(
        "srs-relay", std::move(sink), log->pool_, spdlog::async_overflow_policy::overrun_oldest);
    log->logger_->set_pattern("%v");
    log->logger_->flush_on(spdlog::level::info);
  } catch (const std::exception& problem) {
    return std::unexpected(std::string(problem.what()));
  }
  return log;
}

LogSink::~LogSink() {
  if (logger_) flush();  // open() may have failed half-way
}

void LogSink::write(base::Event event) {
  const auto level = level_of(event.severity());
  std::string line = std::move(event).line();
  const auto redaction = redaction_.get();
  if (redaction->active()) line = redaction->redacted(line);
  // A view, not a format string: log text is data (rule P-7).
  logger_->log(level, spdlog::string_view_t(line));
}

void LogSink::flush() { logger_->flush(); }

std::uint64_t LogSink::dropped() const { return pool_->overrun_counter(); }

}  // namespace relay::app
