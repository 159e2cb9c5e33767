#include "relay/app/secret_memory.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "relay/app/wall_now.hpp"
#include "relay/base/private_file.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

/// Replaces the file as a whole, durably, with mode 0600. The error is a sentence.
std::expected<void, std::string> write_secret_memory(const settings::Settings& settings,
                                                     const review::SecretMemory& memory) {
  const std::string path = secret_memory_path(settings);
  const std::string draft = path + ".new";
  const std::string text = review::text_of(memory);
  if (const auto there = settings::read_file(path); there && *there == text) return {};
  if (base::write_private_file(draft, text, base::IfThere::Empty) &&
      ::rename(draft.c_str(), path.c_str()) == 0 && base::sync_folder(base::folder_of(path))) {
    return {};
  }
  return std::unexpected("cannot write " + path + ": " + std::strerror(errno));
}

std::expected<void, std::string> remember(const settings::Settings& settings,
                                          const review::ClassicBefore& classic_before,
                                          base::WallTime now) {
  auto memory = read_secret_memory(settings);
  memory.secrets = review::remember(memory.secrets, settings.srs, now);
  memory.classic_before = classic_before;
  return write_secret_memory(settings, memory);
}

void tell_unwritten(base::Log& log, base::WallTime now, const std::string& problem) {
  log.write(base::Event("secret_memory", now, base::Severity::Warning).text("problem", problem));
}

}  // namespace

std::string secret_memory_path(const settings::Settings& settings) {
  return (base::folder_of(settings.queue.path) / "srs-secrets").string();
}

review::SecretMemory read_secret_memory(const settings::Settings& settings) {
  const auto content = settings::read_file(secret_memory_path(settings));
  return content ? review::parse_remembered(*content) : review::SecretMemory();
}

std::expected<void, std::string> remember_at_start(const settings::Settings& settings,
                                                   const review::ClassicBefore& classic_before,
                                                   base::Log& log, base::WallTime now) {
  auto written = remember(settings, classic_before, now);
  std::error_code ignored;
  if (written || !std::filesystem::exists(settings.queue.path, ignored)) return written;
  tell_unwritten(log, now, written.error());
  return {};
}

void remember_or_tell(const settings::Settings& settings,
                      const review::ClassicBefore& classic_before, base::Log& log,
                      base::WallTime now) {
  if (auto written = remember(settings, classic_before, now); !written) {
    tell_unwritten(log, now, written.error());
  }
}

std::expected<Recalled, std::vector<settings::Problem>> load_and_recall(
    const std::string& path, const std::optional<review::ClassicBefore>& running) {
  auto loaded = settings::load(path);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  settings::Settings& settings = *loaded->settings;
  std::error_code ignored;
  auto before = running ? *running
                        : review::classic_before(
                              read_secret_memory(settings), settings.srs,
                              std::filesystem::exists(settings.queue.path, ignored), wall_now());
  review::recall_classic(settings.srs, before);
  return Recalled{std::move(*loaded), std::move(before)};
}

}  // namespace relay::app
