#include "relay/mail/authentication.hpp"

#include <array>
#include <cstddef>

namespace relay::mail {

namespace {

template <std::size_t N, class E>
std::string_view at(const std::array<std::string_view, N>& names, E value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view name_of(SpfResult result) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};
  return at(kNames, result);
}

std::string_view name_of(DkimResult result) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "none", "pass", "fail", "policy", "neutral", "temperror", "permerror"};
  return at(kNames, result);
}

std::string_view name_of(DmarcResult result) {
  static constexpr std::array<std::string_view, 5> kNames = {"none", "pass", "fail", "temperror",
                                                             "permerror"};
  return at(kNames, result);
}

std::string_view name_of(DmarcPolicy policy) {
  static constexpr std::array<std::string_view, 3> kNames = {"none", "quarantine", "reject"};
  return at(kNames, policy);
}

std::string_view name_of(ArcResult result) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "pass", "fail", "temperror"};
  return at(kNames, result);
}

std::string_view name_of(IprevResult result) {
  static constexpr std::array<std::string_view, 4> kNames = {"pass", "fail", "temperror",
                                                             "permerror"};
  return at(kNames, result);
}

}  // namespace relay::mail
