// The file beside the queue in which a start remembers which SRS secrets were valid, and what of
// classic addresses was under way when the relay was upgraded.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/review/remembered_secrets.hpp"
#include "relay/settings/loader.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

std::string secret_memory_path(const settings::Settings& settings);

/// Empty when there is none, or it cannot be read.
review::SecretMemory read_secret_memory(const settings::Settings& settings);

/// In place of the old one as a whole, durably, mode 0600. The error is a sentence.
std::expected<void, std::string> write_secret_memory(const settings::Settings& settings,
                                                     const review::SecretMemory& memory);

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
