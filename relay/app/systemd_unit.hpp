// What the unit files of systemd say of this service.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::app {

struct UnitSetting {
  std::string key;
  std::string value;  ///< "" resets a list (systemd.syntax(7))
};

/// Where systemd looks for unit files, below the root; earlier folders take precedence.
inline constexpr std::string_view kUnitsOfTheHost = "etc/systemd/system";

/// The settings of a unit, such as "srs-relay.socket", with its drop-ins, in the order in which
/// they count. Read from the folders of systemd below `root`; specifiers stay as they are. nullopt:
/// the unit is not installed, or a file cannot be read.
std::optional<std::vector<UnitSetting>> settings_of_unit(const std::filesystem::path& root,
                                                         const std::string& unit);

}  // namespace relay::app
