// Maps an MX host to its mail provider by the end of its name. Deliveries to one provider are paced
// together, whatever the recipient's domain. Pure; every shard may ask at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relay::forward {

/// A mail system that receives for many domains: copies to it are paced together.
struct Provider {
  std::string name;                   ///< folded
  std::vector<std::string> suffixes;  ///< ends of MX host names, whole labels, folded
};

class ProviderTable {
 public:
  ProviderTable() = default;  ///< has no providers

  /// If a suffix is given twice, the first counts; the loader refuses such a configuration.
  explicit ProviderTable(std::vector<Provider> providers);

  /// The provider's name, or null when the host belongs to none. The longest suffix of whole labels
  /// decides; case and a dot at the end of `host` are ignored. One lookup per label, no allocation.
  /// The name lives as long as the table and is the same string for all suffixes of a provider.
  const std::string* name_of(std::string_view host) const;

  struct End {
    std::string suffix;
    bool is_its = true;  ///< false: what lies under it belongs to somebody else

    friend bool operator==(const End&, const End&) = default;
  };

  /// The suffixes that decide whether a host belongs to the provider of that name, given in lower
  /// case: its own, and those under them that other providers have. Empty: there is no such
  /// provider.
  std::vector<End> ends_of(std::string_view name) const;

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
  /// Index in names_
  std::unordered_map<std::string, std::size_t, FoldedHash, FoldedEqual> by_suffix_;
};

}  // namespace relay::forward
