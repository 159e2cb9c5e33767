// Which SRS secrets were valid when the relay last started, without the secrets: whether one of
// them is missed now. An address that was made with a secret comes back for as long as [srs]
// max_age says, and only while the secret is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

struct RememberedSecret {
  std::string id;
  std::string digest;           ///< keyed with the secret itself: tells it again, and nothing of it
  std::int64_t made_until = 0;  ///< Unix seconds: addresses were made with it until then
  bool signs = false;           ///< … and since, for all that is known
};

/// What is to be remembered at `now`, given what was remembered before.
std::vector<RememberedSecret> remember(const std::vector<RememberedSecret>& before,
                                       const settings::Srs& srs, base::WallTime now);

/// Which secrets took classic tags before the configuration had a word for each: until it had, all
/// of them did. Addresses with such tags are under way for [srs] max_age after the upgrade.
struct ClassicBefore {
  std::int64_t upgraded_at = 0;      ///< Unix seconds; 0: there was no upgrade
  std::vector<std::string> digests;  ///< of those secrets

  friend bool operator==(const ClassicBefore&, const ClassicBefore&) = default;
};

/// What one start leaves to the next.
struct SecretMemory {
  std::vector<RememberedSecret> secrets;
  std::optional<ClassicBefore> classic_before;  ///< nothing: no start has known of it yet
};

/// What is to be remembered from now on. `had_queue`: the relay has run before. Of a clock that was
/// set back since, the upgrade is now.
ClassicBefore classic_before(const SecretMemory& memory, const settings::Srs& srs, bool had_queue,
                             base::WallTime now);

/// Sets classic_until of the secrets of which the configuration says nothing.
void recall_classic(settings::Srs& srs, const ClassicBefore& before);

struct Missed {
  RememberedSecret secret;
  base::WallTime until;  ///< when the last address made with it expires
};

/// Those that are not there any more, while addresses made with them are under way.
std::vector<Missed> missed(const std::vector<RememberedSecret>& remembered,
                           const settings::Srs& srs, base::WallTime now);

/// A line for each. Lines that are not understood are passed over.
std::string text_of(const SecretMemory& memory);
SecretMemory parse_remembered(std::string_view text);

}  // namespace relay::review
