#include "relay/mail/outcome.hpp"

#include <array>

namespace relay::mail {

namespace {

constexpr std::array<std::string_view, 10> kStageNames = {
    "policy", "dns", "connect", "banner", "ehlo", "starttls", "mail", "rcpt", "data", "end-of-data",
};

}  // namespace

std::string_view name(Stage stage) { return kStageNames.at(static_cast<std::size_t>(stage)); }

std::string_view name(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::Delivered:
      return "delivered";
    case OutcomeKind::Deferred:
      return "deferred";
    case OutcomeKind::Failed:
      return "failed";
  }
  return "deferred";
}

}  // namespace relay::mail
