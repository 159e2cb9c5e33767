// Values that the configuration assigns to domains: by name, by "*.parent", or by "*" for all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace relay::forward {

template <class Value>
class DomainTable {
 public:
  /// The first entry for a name counts; a later one for the same name is ignored.
  void add(std::string_view match, Value value) {
    if (match == "*") {
      if (!all_) all_ = std::move(value);
    } else if (match.starts_with("*.")) {
      below_.try_emplace(std::string(match.substr(2)), std::move(value));
    } else {
      exact_.try_emplace(std::string(match), std::move(value));
    }
  }

  /// An exact name wins over "*.parent", a longer parent over a shorter one, and any of them over
  /// "*"; null when nothing matches. One lookup per label.
  const Value* find(const std::string& folded_domain) const {
    if (const auto hit = exact_.find(folded_domain); hit != exact_.end()) return &hit->second;
    for (std::size_t dot = folded_domain.find('.'); dot != std::string::npos && !below_.empty();
         dot = folded_domain.find('.', dot + 1)) {
      if (const auto hit = below_.find(folded_domain.substr(dot + 1)); hit != below_.end()) {
        return &hit->second;
      }
    }
    return all_ ? &*all_ : nullptr;
  }

 private:
  std::unordered_map<std::string, Value> exact_;
  std::unordered_map<std::string, Value> below_;  ///< "*.corp.example" as "corp.example"
  std::optional<Value> all_;
};

}  // namespace relay::forward
