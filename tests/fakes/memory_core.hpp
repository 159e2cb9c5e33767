// State shared by the interfaces of MemorySpool: its rows, the order to fail, and the moments at
// which a test may let others run.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "tests/fakes/memory_messages.hpp"

namespace relay::fakes {

/// The sender behind a token.
struct KeptSender {
  mail::ReversePath reverse_path;
  base::WallTime expires_at;
};

struct KeptResend {
  mail::MessageId id;
  std::string key;
  base::WallTime at;
};

struct MemoryCore {
  explicit MemoryCore(const ports::Clock& the_clock) : clock(the_clock) {}

  /// Does `work() -> expected<T, SpoolError>` at once, and resumes the caller after before_answer.
  template <class Work>
  base::Task<std::invoke_result_t<Work>> write(Work work) {
    using Result = std::invoke_result_t<Work>;
    std::optional<Result> result;
    {
      const std::lock_guard lock(mutex);
      const auto failed = failure();
      // Of Unknown the harder half: it was done.
      if (!failed || *failed == ports::SpoolError::Unknown) result.emplace(work());
      if (failed) result.emplace(std::unexpected(*failed));
    }
    if (before_answer) co_await before_answer();
    co_return std::move(*result);
  }

  template <class Work>
  base::Task<std::invoke_result_t<Work>> read(Work work) {
    using Result = std::invoke_result_t<Work>;
    std::optional<Result> result;
    {
      const std::lock_guard lock(mutex);
      if (closed) {
        result.emplace(std::unexpected(ports::SpoolError::Stopping));
      } else {
        result.emplace(work());
      }
    }
    if (before_read_answer) co_await before_read_answer();
    co_return std::move(*result);
  }

  base::WallTime now() const { return clock.wall(); }

  std::optional<ports::SpoolError> failure() {
    if (closed) return ports::SpoolError::Stopping;
    if (poisoned) return ports::SpoolError::Poisoned;
    if (fail_at == 0 || --fail_at > 0) return std::nullopt;
    poisoned = fail_with == ports::SpoolError::Poisoned;
    return fail_with;
  }

  const ports::Clock& clock;
  std::function<base::Task<>()> before_answer;
  std::function<base::Task<>()> before_read_answer;

  std::mutex mutex;
  bool closed = false;
  int fail_at = 0;
  ports::SpoolError fail_with = ports::SpoolError::Full;
  std::atomic<bool> poisoned = false;
  MemoryMessages messages;
  std::map<mail::MessageId, std::map<std::uint32_t, std::string>> drafts;
  /// In the order of acceptance.
  std::vector<KeptResend> resends;
  std::map<std::string, KeptSender> tokens;
  std::map<std::string, std::int64_t> tokens_under;  ///< whose quota
  std::vector<ports::Update> updates;
  std::map<std::pair<ports::PauseRule::Kind, std::string>, ports::PauseRule> pauses;
};

}  // namespace relay::fakes
