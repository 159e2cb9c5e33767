#include "relay/review/review.hpp"

#include <array>
#include <utility>

#include "relay/settings/problem.hpp"

namespace relay::review {

namespace {

constexpr std::array kChecks{
    Check{"key-never-matches", aliases_that_never_match},
    Check{"alias-twice", aliases_that_stand_twice},
    Check{"pattern-group", groups_of_patterns},
    Check{"alias-target", targets_of_aliases},
    Check{"pattern-target", targets_of_patterns},
    Check{"map-to", mapped_domains},
    Check{"postmaster", postmaster},
    Check{"hostname", host_name},
    Check{"tag", tag_character},
    Check{"source", source_addresses},
    Check{"srs-domain", srs_domain},
    Check{"named-clients", named_clients},
    Check{"certificate", certificate_of_tls},
    Check{"signing-key", signing_keys},
    Check{"srs-secret", forgotten_secrets},
    Check{"folder", folders_others_can_write_to},
    Check{"unreadable", files_of_the_service},
};

}  // namespace

std::span<const Check> checks() { return kChecks; }

std::vector<settings::Problem> review(const Subject& subject, std::string_view only) {
  Doubts doubts(subject.settings);
  for (const Check& check : kChecks) {
    if (!only.empty() && check.name != only) continue;
    doubts.begin(check.name);
    check.look(subject, doubts);
  }
  return std::move(doubts).take();
}

}  // namespace relay::review
