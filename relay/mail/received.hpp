// What a Received field says of the host that it came from (RFC 5321 §4.4), in the ways in which
// mail systems write it. Pure. Whether who wrote it is to be believed is not asked here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::mail {

struct Received {
  std::string by;    ///< who wrote the field, folded; "" where it does not say
  std::string helo;  ///< what the client called itself; "" where it is not told from other names
  std::string reverse_name;  ///< the name of its address as the writer has looked it up, folded
  std::string address;       ///< textual IP as written, without "IPv6:"; "": not there
};

/// Reads the value. The address is what the writer has seen, never what the client says of itself:
///   from helo (name [192.0.2.1])            Postfix, Sendmail
///   from name ([192.0.2.1] helo=helo)       Exim; from [192.0.2.1] (helo=helo) without a name
///   from helo (192.0.2.1)                   Exchange
///   from name (HELO helo) (192.0.2.1)       qmail
/// nullopt: a comment or quoted string does not end.
std::optional<Received> read_received(std::string_view value);

}  // namespace relay::mail
