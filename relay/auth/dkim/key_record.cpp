#include "relay/auth/dkim/key_record.hpp"

#include <algorithm>

#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/tag_list.hpp"

namespace relay::auth::dkim {

namespace {

bool names(std::string_view list, std::string_view word) {
  return std::ranges::count(split_value(list, ':'), word) > 0;
}

/// The version tag must be first if it is present (§3.6.1).
bool has_right_version(const std::vector<Tag>& tags) {
  const auto version = find_tag(tags, "v");
  return !version || (*version == "DKIM1" && tags.front().name == "v");
}

}  // namespace

std::string_view describe(KeyRecordError error) {
  switch (error) {
    case KeyRecordError::BadTagList:
      return "key record is no tag list";
    case KeyRecordError::WrongVersion:
      return "key record of an unknown version";
    case KeyRecordError::NoKey:
      return "key record without a key";
    case KeyRecordError::LongKey:
      return "key is too long";
    case KeyRecordError::BadKey:
      return "key is not base64";
    case KeyRecordError::UnknownKeyType:
      return "key of an unknown type";
  }
  return "bad key record";
}

std::expected<KeyRecord, KeyRecordError> parse_key_record(std::string_view text) {
  const auto tags = parse_tag_list(text, EmptyTags::PassedOver);
  if (!tags) return std::unexpected(KeyRecordError::BadTagList);
  if (!has_right_version(*tags)) return std::unexpected(KeyRecordError::WrongVersion);
  const auto key = find_tag(*tags, "p");
  if (!key) return std::unexpected(KeyRecordError::NoKey);
  const std::string_view type = find_tag(*tags, "k").value_or("rsa");
  if (type != "rsa" && type != "ed25519") return std::unexpected(KeyRecordError::UnknownKeyType);
  KeyRecord record;
  record.type = type == "rsa" ? KeyType::Rsa : KeyType::Ed25519;
  if (key->size() > kMaxKeyText) return std::unexpected(KeyRecordError::LongKey);
  if (!key->empty()) {
    auto octets = decode_base64(*key);
    if (!octets || octets->empty()) return std::unexpected(KeyRecordError::BadKey);
    record.key = std::move(*octets);
  }
  if (const auto hashes = find_tag(*tags, "h")) record.for_sha256 = names(*hashes, "sha256");
  if (const auto services = find_tag(*tags, "s")) {
    record.for_email = names(*services, "*") || names(*services, "email");
  }
  if (const auto flags = find_tag(*tags, "t")) {
    record.testing = names(*flags, "y");
    record.same_domain_only = names(*flags, "s");
  }
  return record;
}

}  // namespace relay::auth::dkim
