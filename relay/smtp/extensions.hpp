// What a server offers in its reply to EHLO (RFC 5321 §4.1.1.1), as far as we use it.
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
  std::optional<std::uint64_t> max_size;  ///< octets, when the server names a limit

  // LIMITS (RFC 9422 §3), when the server names them.
  std::optional<std::uint32_t> mail_max;         ///< transactions in a session
  std::optional<std::uint32_t> rcpt_max;         ///< RCPT commands in a transaction
  std::optional<std::uint32_t> rcpt_domain_max;  ///< domains of recipients in a session
};

/// Reads the lines of a positive reply to EHLO; ignores unknown keywords.
Extensions read_extensions(const RemoteReply& reply);

}  // namespace relay::smtp
