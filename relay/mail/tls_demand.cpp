#include "relay/mail/tls_demand.hpp"

#include <array>

namespace relay::mail {

std::string_view name(TlsLevel level) {
  constexpr std::array<std::string_view, 4> kNames = {"never", "may", "encrypt", "verify"};
  return kNames.at(static_cast<std::size_t>(level));
}

std::string_view name(TlsResult result) {
  constexpr std::array<std::string_view, 6> kNames = {"",
                                                      "starttls-not-supported",
                                                      "certificate-host-mismatch",
                                                      "certificate-expired",
                                                      "certificate-not-trusted",
                                                      "validation-failure"};
  return kNames.at(static_cast<std::size_t>(result));
}

}  // namespace relay::mail
