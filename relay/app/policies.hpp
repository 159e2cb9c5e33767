// Translates settings into the policies of each room. Reads key files, otherwise pure.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "relay/app/redaction.hpp"
#include "relay/auth/openssl_signer.hpp"
#include "relay/delivery/policy.hpp"
#include "relay/forward/planner.hpp"
#include "relay/inbound/policy.hpp"

namespace relay::settings {
struct Problem;
struct Settings;
}  // namespace relay::settings

namespace relay::app {

/// Everything that a reload replaces; complete before anything is replaced.
struct Policies {
  std::shared_ptr<const settings::Settings> settings;
  std::shared_ptr<const inbound::Policy> inbound;
  std::shared_ptr<const delivery::Policy> delivery;
  std::shared_ptr<const auth::SigningKeys> signing;
  std::shared_ptr<const Redaction> redaction;
};

/// Each error names the file or key at fault, with its position in the configuration.
std::expected<Policies, std::vector<settings::Problem>> make_policies(
    std::shared_ptr<const settings::Settings> settings);

std::expected<auth::SigningKeys, std::vector<settings::Problem>> load_signing_keys(
    const settings::Settings& settings);

}  // namespace relay::app
