// The tags of the three fields of an ARC set (RFC 8617 §4.1), parsed and checked for form. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/dkim/algorithm.hpp"
#include "relay/auth/dkim/canonical.hpp"

namespace relay::auth::arc {

inline constexpr unsigned kMaxInstances = 50;  // RFC 8617 §4.2.1

enum class ChainStatus : std::uint8_t { None, Pass, Fail };

std::string_view name_of(ChainStatus status);

/// What ARC-Message-Signature and ARC-Seal have in common.
struct SignedBy {
  dkim::KeyType algorithm = dkim::KeyType::Rsa;  ///< a=
  std::string domain;                            ///< d=, folded
  std::string selector;                          ///< s=, folded
  std::string signature;                         ///< b= decoded
};

struct MessageSignature {
  SignedBy by;
  dkim::Canon header = dkim::Canon::Simple;  ///< c=, as in RFC 6376 §3.5
  dkim::Canon body = dkim::Canon::Simple;
  std::string body_hash;                ///< bh= decoded
  std::vector<std::string> names;       ///< h=
  std::optional<std::uint64_t> length;  ///< l=
  std::optional<std::int64_t> expiry;   ///< x=
};

struct Seal {
  SignedBy by;
  ChainStatus status = ChainStatus::None;  ///< cv=
};

/// The error is one line in our own words. i= is not read here: see instance_of_tags().
std::expected<MessageSignature, std::string> parse_message_signature(std::string_view value);
std::expected<Seal, std::string> parse_seal(std::string_view value);

/// i= of an ARC-Message-Signature or ARC-Seal field, even if other tags are invalid. Up to three
/// digits are read, so that numbers above 50 are recognised. nullopt: no instance can be read.
std::optional<unsigned> instance_of_tags(std::string_view value);

/// The value of an ARC-Authentication-Results field (§4.1.1).
struct NumberedResults {
  unsigned instance = 0;     ///< of i=, which comes first
  std::string_view results;  ///< after its ";": in the form of Authentication-Results
};

/// Comments around i= are skipped, even with a ";" in them. nullopt: no instance can be read.
std::optional<NumberedResults> numbered_results(std::string_view value);

/// The instance of an ARC-Authentication-Results field.
std::optional<unsigned> instance_of_results(std::string_view value);

/// cv= of an ARC-Seal, even if other tags are invalid.
std::optional<ChainStatus> status_of(std::string_view seal_value);

}  // namespace relay::auth::arc
