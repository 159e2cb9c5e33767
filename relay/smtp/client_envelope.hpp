// An envelope to hand over, measured by what a server offers.
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
  bool eight_bit = false;                 ///< declared as 8BITMIME by whoever gave it to us
  bool needs_smtputf8 = false;            ///< the header holds UTF-8; paths are looked at here
};

/// MAIL with the parameters that this server takes and this envelope needs, without line end.
std::string mail_line(const ClientTransaction& transaction, const Extensions& offered);

/// Why this recipient cannot be asked for here: the message is too large, or needs SMTPUTF8 where
/// it is not offered (Verdict::by_capability).
std::optional<Verdict> unsendable(const ClientTransaction& transaction,
                                  const mail::Mailbox& recipient, const Extensions& offered);

}  // namespace relay::smtp
