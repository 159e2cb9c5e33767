// What a Received field says about the host that it came from (RFC 5321 §4.4), in the forms that
// mail systems write. Pure. Does not judge whether the writer of the field can be trusted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::mail {

struct Received {
  std::string by;    ///< the host that wrote the field, folded; "" when the field does not say
  std::string helo;  ///< what the client called itself; "" when it cannot be told from other names
  std::string reverse_name;  ///< the name of the address as the writer looked it up, folded
  std::string address;       ///< textual IP as written, without "IPv6:"; "" when missing
};

/// Reads the value. The address that the writer saw is preferred to what the client said of itself:
///   from helo (name [192.0.2.1])            Postfix, Sendmail
///   from name ([192.0.2.1] helo=helo)       Exim; from [192.0.2.1] (helo=helo) without a name
///   from helo (192.0.2.1)                   Exchange
///   from name (HELO helo) (192.0.2.1)       qmail
/// nullopt: a comment or quoted string does not end.
std::optional<Received> read_received(std::string_view value);

}  // namespace relay::mail
