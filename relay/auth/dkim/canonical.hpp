// Canonical header fields (RFC 6376 §3.4.1, §3.4.2) and the choice of those a signature covers
// (§5.4.2). ARC signs in the same way (RFC 8617 §4.1.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/mail/header.hpp"

namespace relay::auth::dkim {

enum class Canon : std::uint8_t { Simple, Relaxed };

/// "name:value" without CRLF: name in lower case, value unfolded, runs of SP and HTAB made one
/// space, none at either end. A bare CR or LF is an octet like others.
std::string relaxed_field(std::string_view name, std::string_view value);

/// One field, without the CRLF at its end.
std::string canonical_field(const mail::HeaderField& field, Canon canon);

/// The fields of a message by their names: made once for all its signatures, so that many of them
/// over a large header stay cheap. Lives no longer than the fields.
class SignableHeader {
 public:
  explicit SignableHeader(const std::vector<mail::HeaderField>& fields);

  /// The canonical text of the signed fields, each with CRLF. Of a repeated name the lowest field
  /// comes first, then upwards; names beyond the topmost occurrence add nothing (§5.4.2).
  /// `except`, a field of the message or null, is passed over: a signature never covers itself as
  /// one of its h= (§3.7).
  std::string canonical(const std::vector<std::string>& names, Canon canon,
                        const mail::HeaderField* except = nullptr) const;

 private:
  std::unordered_map<std::string, std::vector<const mail::HeaderField*>> by_name_;
};

/// The same for a single signature.
std::string canonical_header(const std::vector<mail::HeaderField>& fields,
                             const std::vector<std::string>& names, Canon canon,
                             const mail::HeaderField* except = nullptr);

/// The signature field as it was signed: canonical, without CRLF, the value of b= removed with the
/// white space around it (§3.7). bh= and the like are left alone.
std::string canonical_signature_field(const mail::HeaderField& field, Canon canon);

}  // namespace relay::auth::dkim
