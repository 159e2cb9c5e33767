// An envelope to send, and what a server's extensions allow of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/mail/address.hpp"
#include "relay/smtp/extensions.hpp"
#include "relay/smtp/verdict.hpp"

namespace relay::smtp {

/// One envelope; the content follows when the machine asks for it.
struct ClientTransaction {
  mail::ReversePath reverse_path;
  std::vector<mail::Mailbox> recipients;  ///< at least one
  std::uint64_t size = 0;                 ///< octets of the whole content as it will be sent
  bool eight_bit = false;                 ///< declared as 8BITMIME by the client it came from
  bool needs_smtputf8 = false;            ///< the header holds UTF-8; paths are checked separately
};

/// The MAIL command, with those parameters that this server offers and this envelope needs, without
/// line end.
std::string mail_line(const ClientTransaction& transaction, const Extensions& offered);

/// Why this server cannot get this recipient's copy: the message is too large, or needs SMTPUTF8,
/// which the server does not offer (Verdict::by_capability). nullopt: it can.
std::optional<Verdict> unsendable(const ClientTransaction& transaction,
                                  const mail::Mailbox& recipient, const Extensions& offered);

}  // namespace relay::smtp
