#include "relay/forward/providers.hpp"

#include <cstdint>
#include <utility>

#include "relay/base/text.hpp"

namespace relay::forward {

/// FNV-1a over the lower-case letters.
std::size_t ProviderTable::FoldedHash::operator()(std::string_view text) const noexcept {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(base::lower(c))) * 0x100'0000'01B3;
  }
  return static_cast<std::size_t>(hash);
}

bool ProviderTable::FoldedEqual::operator()(std::string_view a, std::string_view b) const noexcept {
  return base::equal_ignoring_case(a, b);
}

ProviderTable::ProviderTable(std::vector<Provider> providers) {
  for (Provider& provider : providers) {
    for (std::string& suffix : provider.suffixes) {
      by_suffix_.try_emplace(std::move(suffix), names_.size());
    }
    names_.push_back(std::move(provider.name));
  }
}

const std::string* ProviderTable::name_of(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  while (!host.empty() && !by_suffix_.empty()) {
    if (const auto found = by_suffix_.find(host); found != by_suffix_.end()) {
      return &names_[found->second];
    }
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos) break;
    host.remove_prefix(dot + 1);
  }
  return nullptr;
}

std::vector<ProviderTable::End> ProviderTable::ends_of(std::string_view name) const {
  std::vector<End> ends;
  for (const auto& [suffix, owner] : by_suffix_) {
    bool matters = names_[owner] == name;
    std::string_view above = suffix;
    for (std::size_t dot = above.find('.'); !matters && dot != above.npos; dot = above.find('.')) {
      above.remove_prefix(dot + 1);
      const auto found = by_suffix_.find(above);
      matters = found != by_suffix_.end() && names_[found->second] == name;
    }
    if (matters) ends.push_back({.suffix = suffix, .is_its = names_[owner] == name});
  }
  return ends;
}

}  // namespace relay::forward
