// load_signing_keys(): the keys that [[dkim]] and [arc] name.
#include <utility>

#include "relay/app/policies.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

using settings::ProblemCode;

settings::Problem bad_key(const settings::Settings& settings, const base::SourcePlace& at,
                          ProblemCode code, std::string text) {
  return {.at = position_of(settings, at),
          .code = code,
          .text = std::move(text),
          .hint = "`srs-relay dkim new` makes one"};
}

}  // namespace

std::expected<auth::SigningKeys, std::vector<settings::Problem>> load_signing_keys(
    const settings::Settings& settings) {
  auth::SigningKeys keys;
  std::vector<settings::Problem> problems;
  for (const forward::DkimDomain& entry : settings.dkim) {
    auth::SigningDomain domain{.domain = entry.domain.folded(), .keys = {}};
    for (const forward::DkimKey& key : entry.keys) {
      auto parsed = auth::dkim::PrivateKey::parse(key.key.text.reveal());
      if (parsed) {
        domain.keys.push_back({key.selector, std::move(*parsed)});
      } else {
        problems.push_back(bad_key(settings, key.key.at, ProblemCode::Secret,
                                   "dkim.keys.file: " + key.key.name + ": " + parsed.error()));
      }
    }
    keys.domains.push_back(std::move(domain));
  }
  if (const auto& sealer = settings.arc.sealer) {
    auto parsed = auth::dkim::PrivateKey::parse(sealer->key.reveal());
    if (parsed) {
      keys.sealer = {sealer->domain.folded(), sealer->selector, std::move(*parsed)};
    } else {
      problems.push_back(
          bad_key(settings, sealer->at, ProblemCode::Secret, "arc: " + parsed.error()));
    }
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return keys;
}

}  // namespace relay::app
