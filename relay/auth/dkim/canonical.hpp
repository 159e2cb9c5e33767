// Canonical header fields (RFC 6376 §3.4.1, §3.4.2) and the selection of the fields that a
// signature covers (§5.4.2). ARC signs in the same way (RFC 8617 §4.1.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/mail/header.hpp"

namespace relay::auth::dkim {

enum class Canon : std::uint8_t { Simple, Relaxed };

/// "name:value" without CRLF: name in lower case, value unfolded, each run of SP and HTAB replaced
/// by one space, none at either end. A bare CR or LF is treated as an ordinary octet.
std::string relaxed_field(std::string_view name, std::string_view value);

/// One field, without the CRLF at its end.
std::string canonical_field(const mail::HeaderField& field, Canon canon);

/// Index of a message's fields by name, made once for all its signatures, so that many signatures
/// over a large header stay cheap. The fields must outlive it.
class SignableHeader {
 public:
  explicit SignableHeader(const std::vector<mail::HeaderField>& fields);

  /// The canonical text of the signed fields, each with CRLF. For a name that occurs repeatedly,
  /// the lowest field is taken first, then the next above it; further occurrences in `names` add
  /// nothing (§5.4.2). `except`, a field of the message or null, is skipped: the h= of a signature
  /// never covers the signature itself (§3.7).
  std::string canonical(const std::vector<std::string>& names, Canon canon,
                        const mail::HeaderField* except = nullptr) const;

 private:
  std::unordered_map<std::string, std::vector<const mail::HeaderField*>> by_name_;
};

/// The same for a single signature.
std::string canonical_header(const std::vector<mail::HeaderField>& fields,
                             const std::vector<std::string>& names, Canon canon,
                             const mail::HeaderField* except = nullptr);

/// The signature field as it was signed: canonical, without CRLF, and with the value of b= and the
/// white space around it removed (§3.7). Other tags, bh= too, are unchanged.
std::string canonical_signature_field(const mail::HeaderField& field, Canon canon);

}  // namespace relay::auth::dkim
