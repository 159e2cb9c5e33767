// Text functions of SRS: folding, base32 stamps, keyed hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace srs {

constexpr char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// A-Z to a-z, octet by octet; UTF-8 is left alone, as in Mail::SRS.
std::string fold(std::string_view text);

constexpr bool is_separator(char c) { return c == '=' || c == '+' || c == '-'; }

/// What follows the tag of an address, with the separator in front, if `local` begins with such a
/// tag, in any case, and a separator.
std::optional<std::string_view> after_tag(std::string_view local, std::string_view tag);

/// Whole days since 1970 (UTC).
std::int64_t day_of(std::int64_t now_unix);

/// The day that a stamp stands for, within 512 days of today; -1 for a text that is no stamp.
std::int64_t day_of_stamp(std::string_view stamp, std::int64_t now_unix);

std::string day_text(std::int64_t day);  ///< in decimal

/// Two base32 characters of the day number modulo 1024.
std::string stamp_of(std::int64_t now_unix);

/// Days from the stamp to now: 0…1023; a stamp of tomorrow gives 1023. nullopt: not a stamp.
std::optional<int> age_of(std::string_view stamp, std::int64_t now_unix);

std::string hmac_md5(std::string_view key, std::string_view message);     ///< 16 octets
std::string hmac_sha1(std::string_view key, std::string_view message);    ///< 20 octets
std::string hmac_sha256(std::string_view key, std::string_view message);  ///< 32 octets
std::string hexadecimal(std::string_view octets);                         ///< lower case
std::string base64(std::string_view octets);        ///< standard alphabet, padded
std::string base32_lower(std::string_view octets);  ///< a-z2-7, unpadded

/// Joins fields, each preceded by its length, so that no octet can move from one field into
/// another.
std::string delimited(const std::vector<std::string_view>& fields);

/// A host name with at least one dot: letters, digits, hyphens, underscores, UTF-8.
bool is_dotted_name(std::string_view domain);

bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace srs
