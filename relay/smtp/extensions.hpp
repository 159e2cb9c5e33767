// What a remote server offers in its answer to EHLO (RFC 5321 §4.1.1.1); only what we use.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/smtp/reply_parser.hpp"

namespace relay::smtp {

struct Extensions {
  bool pipelining = false;                ///< RFC 2920
  bool eight_bit_mime = false;            ///< RFC 6152
  bool smtputf8 = false;                  ///< RFC 6531
  bool starttls = false;                  ///< RFC 3207
  bool size = false;                      ///< RFC 1870
  std::optional<std::uint64_t> max_size;  ///< octets, where the server names a limit
};

/// Reads the lines of a positive reply to EHLO; unknown keywords are none of our business.
Extensions read_extensions(const RemoteReply& reply);

}  // namespace relay::smtp
