// Which mail system an MX host belongs to, by the end of its name. What goes to one of them is
// paced together, whatever the domain. Pure, and safe to ask from every shard at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/settings/settings.hpp"

namespace relay::forward {

using settings::Provider;

class ProviderTable {
 public:
  ProviderTable() = default;  ///< knows nobody

  /// Of a suffix given twice the first counts; the loader takes no such configuration.
  explicit ProviderTable(std::vector<Provider> providers);

  static ProviderTable make(const settings::Settings& settings);

  /// Null: it belongs to none of them. The longest suffix of whole labels decides, whatever the
  /// case of `host`; a dot at its end does not matter. One lookup for each label, nothing is
  /// allocated. The name lives as long as the table and is one string for all suffixes of a
  /// provider.
  const std::string* name_of(std::string_view host) const;

 private:
  struct FoldedHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept;
  };

  struct FoldedEqual {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept;
  };

  std::vector<std::string> names_;
  std::unordered_map<std::string, std::size_t, FoldedHash, FoldedEqual> by_suffix_;  ///< in names_
};

}  // namespace relay::forward
