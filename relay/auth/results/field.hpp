// Makes the Authentication-Results field that we add to a message (RFC 8601): all verdicts, in the
// order iprev, spf, dkim, dmarc, arc. The same value, after an instance, is the
// ARC-Authentication-Results field of our ARC set (RFC 8617 §4.1.1). Pure; makes no decision.
#pragma once

#include <string>
#include <string_view>

#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::auth::results {

/// Most dkim results; if there are more, those that passed are taken first.
inline constexpr std::size_t kMaxDkimResults = 16;

/// What the field reports. References: the caller keeps the values alive.
struct Findings {
  const mail::Authentication& verdicts;
  const mail::ReversePath& sender;
  const mail::Client& client;
  bool smtputf8 = false;
};

/// "mx.example.org;⏎⇥iprev=…;⏎⇥spf=…": folded at 78 columns where a value allows it, without CRLF
/// at its end. Contains only our own words and text made safe by Value; at most some 16 KiB.
std::string results_value(std::string_view authserv_id, const Findings& findings);

/// "Authentication-Results: " value CRLF.
std::string results_field(std::string_view value);

}  // namespace relay::auth::results
