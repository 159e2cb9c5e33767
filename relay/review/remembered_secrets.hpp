// Remembers, without the secrets themselves, which SRS secrets were valid at the last start, to
// notice when one is missing. An address made with a secret can come back for [srs] max_age days,
// and is valid only while the configuration has that secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/time.hpp"

namespace relay::forward {
struct Srs;
}

namespace relay::review {

struct RememberedSecret {
  std::string id;
  /// HMAC with the secret as key: recognises the secret, but does not reveal it
  std::string digest;
  std::int64_t made_until = 0;  ///< Unix seconds: until then addresses were made with it
  bool signs = false;           ///< … and may have been made since: it was the signing secret
};

/// What to remember at `now`, given what was remembered before.
std::vector<RememberedSecret> remember(const std::vector<RememberedSecret>& before,
                                       const forward::Srs& srs, base::WallTime now);

/// Which secrets accepted classic tags when the program was upgraded from a version in which all
/// secrets did. Addresses with such tags are valid for [srs] max_age after the upgrade.
struct ClassicBefore {
  std::int64_t upgraded_at = 0;      ///< Unix seconds; 0: no upgrade
  std::vector<std::string> digests;  ///< digests of those secrets

  friend bool operator==(const ClassicBefore&, const ClassicBefore&) = default;
};

/// What one start stores for the next.
struct SecretMemory {
  std::vector<RememberedSecret> secrets;
  std::optional<ClassicBefore> classic_before;  ///< nullopt: not stored yet
};

/// What to remember about the upgrade. `had_queue`: the relay has run here before. If the clock was
/// set back to before the upgrade, the upgrade is moved to `now`.
ClassicBefore classic_before(const SecretMemory& memory, const forward::Srs& srs, bool had_queue,
                             base::WallTime now);

/// Sets classic_until of the secrets for which the configuration does not set `classic`.
void recall_classic(forward::Srs& srs, const ClassicBefore& before);

struct Missed {
  RememberedSecret secret;
  base::WallTime until;  ///< when the last address made with the secret expires
};

/// Remembered secrets that the configuration lacks, while addresses made with them are valid.
std::vector<Missed> missed(const std::vector<RememberedSecret>& remembered, const forward::Srs& srs,
                           base::WallTime now);

/// Writes one line per secret. The parser skips lines that it does not understand.
std::string text_of(const SecretMemory& memory);
SecretMemory parse_remembered(std::string_view text);

}  // namespace relay::review
