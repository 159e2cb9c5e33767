#include "relay/app/systemd_unit.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "relay/base/text.hpp"

namespace relay::app {

namespace {

namespace fs = std::filesystem;

// Earlier folders take precedence (systemd.unit(5)).
constexpr std::array<std::string_view, 4> kUnitFolders = {kUnitsOfTheHost, "run/systemd/system",
                                                          "usr/local/lib/systemd/system",
                                                          "usr/lib/systemd/system"};

std::string_view trimmed(std::string_view text) { return base::trimmed(text, " \t\r"); }

/// Adds the settings of one file. False: it cannot be read.
bool read(const fs::path& file, std::vector<UnitSetting>& settings) {
  std::ifstream lines(file);
  if (!lines) return false;
  std::string whole;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view text = trimmed(line);
    if (text.starts_with('#') || text.starts_with(';')) continue;  // also between continued lines
    whole += text;
    if (whole.ends_with('\\')) {
      whole.back() = ' ';
      continue;
    }
    const std::string_view all = whole;
    const std::size_t equals = all.find('=');
    if (equals != std::string_view::npos) {
      settings.push_back({std::string(trimmed(all.substr(0, equals))),
                          std::string(trimmed(all.substr(equals + 1)))});
    }
    whole.clear();
  }
  return true;
}

std::vector<fs::path> drop_ins(const fs::path& root, const std::string& unit) {
  std::vector<fs::path> files;
  std::set<fs::path> names;
  std::error_code ignored;
  for (const std::string_view folder : kUnitFolders) {
    const fs::path place = root / folder / (unit + ".d");
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      const fs::path& file = entry.path();
      if (file.extension() == ".conf" && names.insert(file.filename()).second)
        files.push_back(file);
    }
  }
  std::ranges::sort(files, {}, [](const fs::path& file) { return file.filename(); });
  return files;
}

}  // namespace

std::optional<std::vector<UnitSetting>> settings_of_unit(const fs::path& root,
                                                         const std::string& unit) {
  std::vector<UnitSetting> settings;
  const bool was_read = std::ranges::any_of(
      kUnitFolders, [&](std::string_view folder) { return read(root / folder / unit, settings); });
  if (!was_read) return std::nullopt;
  for (const fs::path& file : drop_ins(root, unit)) {
    if (!read(file, settings)) return std::nullopt;
  }
  return settings;
}

}  // namespace relay::app
