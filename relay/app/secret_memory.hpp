// The file beside the queue in which a start remembers which SRS secrets were valid, and what of
// classic addresses was under way when the relay was upgraded.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/base/time.hpp"
#include "relay/review/remembered_secrets.hpp"
#include "relay/settings/loader.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

std::string secret_memory_path(const settings::Settings& settings);

/// Empty when there is none, or it cannot be read.
review::SecretMemory read_secret_memory(const settings::Settings& settings);

/// Which secrets addresses were made with, for the next start; before there is a queue, for a crash
/// in between must not look like an upgrade to the next start. A host that has worked so far goes
/// on without: the log says so. The error is a sentence.
std::expected<void, std::string> remember_at_start(const settings::Settings& settings,
                                                   const review::ClassicBefore& classic_before,
                                                   base::Log& log, base::WallTime now);

/// The same at a reload. What cannot be written is logged.
void remember_or_tell(const settings::Settings& settings,
                      const review::ClassicBefore& classic_before, base::Log& log,
                      base::WallTime now);

/// A configuration, and what a relay that starts with it at this moment goes by.
struct Recalled {
  settings::Loaded loaded;
  review::ClassicBefore classic_before;
};

/// settings::load(), and which classic tags are taken beside it. `running`: what the relay that
/// runs goes by; else the memory tells, so that every command sees what the relay sees.
std::expected<Recalled, std::vector<settings::Problem>> load_and_recall(
    const std::string& path, const std::optional<review::ClassicBefore>& running = std::nullopt);

}  // namespace relay::app
