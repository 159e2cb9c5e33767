// The file next to the queue in which a start remembers which SRS secrets were valid, and what is
// known of classic addresses from before an upgrade.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/base/time.hpp"
#include "relay/review/remembered_secrets.hpp"
#include "relay/settings/loader.hpp"

namespace relay::settings {
struct Problem;
struct Settings;
}  // namespace relay::settings

namespace relay::app {

std::string secret_memory_path(const settings::Settings& settings);

/// Empty if the file does not exist or cannot be read.
review::SecretMemory read_secret_memory(const settings::Settings& settings);

/// Writes which secrets are in use, for the next start. Call before the queue is created: after a
/// crash in between, the next start would take an existing queue without memory for an upgrade. If
/// there is a queue, a failure is only logged; else it is the error, a sentence.
std::expected<void, std::string> remember_at_start(const settings::Settings& settings,
                                                   const review::ClassicBefore& classic_before,
                                                   base::Log& log, base::WallTime now);

/// The same at a reload; a failure is logged.
void remember_or_tell(const settings::Settings& settings,
                      const review::ClassicBefore& classic_before, base::Log& log,
                      base::WallTime now);

/// A configuration, and what a relay that starts with it now knows of classic tags.
struct Recalled {
  settings::Loaded loaded;
  review::ClassicBefore classic_before;
};

/// settings::load(), with the classic tags of its secrets set. `running`: what the running relay
/// knows; without it the memory is read, so that every command sees what the relay sees.
std::expected<Recalled, std::vector<settings::Problem>> load_and_recall(
    const std::string& path, const std::optional<review::ClassicBefore>& running = std::nullopt);

}  // namespace relay::app
