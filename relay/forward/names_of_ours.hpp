// The names that copies may bear, and their keys: [srs], [[dkim]], [arc].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/key_text.hpp"
#include "relay/base/secret.hpp"
#include "relay/base/source_place.hpp"
#include "relay/forward/target_wishes.hpp"
#include "relay/mail/address.hpp"
#include "srs/key_ring.hpp"
#include "srs/options.hpp"

namespace relay::forward {

enum class SrsFormat { Strong, Classic };

struct SrsSecret {
  std::string id;
  base::Secret secret;
  std::optional<std::int64_t> verify_until;  ///< Unix seconds
  srs::Scheme scheme = srs::Scheme::Native;
  /// Whether it verifies classic tags, too. nullopt: until `classic_until` (Unix seconds), which
  /// the application sets for secrets in use before an upgrade, as their addresses must stay valid.
  std::optional<bool> classic;
  std::optional<std::int64_t> classic_until;
};

struct Srs {
  std::optional<mail::Domain> domain;  ///< absent: no rewriting
  SrsFormat format = SrsFormat::Strong;
  char separator = srs::Options().separator;
  std::uint32_t tag_length = srs::Options().strong_hash_length;
  std::uint32_t classic_hash_length = srs::Options().classic_hash_length;
  int max_age_days = srs::Options().max_age_days;
  std::uint32_t stored_per_domain = 100'000;  ///< stored senders of one domain that are proven
  std::uint32_t stored_per_client = 1'000;    ///< stored senders of one network that are not
  std::vector<SrsSecret> secrets;
  base::SourcePlace domain_at = {};
};

struct DkimKey {
  std::string selector;
  base::KeyText key;
};

struct DkimDomain {
  mail::Domain domain;
  std::vector<DkimKey> keys;
  base::SourcePlace at = {};  ///< of the domain
};

struct ArcSealer {
  mail::Domain domain;
  std::string selector;
  base::Secret key;           ///< PEM
  base::SourcePlace at = {};  ///< of the key's name
};

struct Arc {
  std::optional<ArcSealer> sealer;  ///< absent: nothing is sealed
  SealWhen seal = SealWhen::WhenUseful;
  std::vector<std::string> trusted_sealers;  ///< folded; their seals may soften a failure
};

}  // namespace relay::forward
