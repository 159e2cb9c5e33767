// The Authentication-Results field we put on a message (RFC 8601): every verdict, in the order
// iprev, spf, dkim, dmarc, arc. The same value, with an instance before it, is the
// ARC-Authentication-Results field of our ARC set (RFC 8617 §4.1.1). Pure; decides nothing.
#pragma once

#include <string>
#include <string_view>

#include "relay/mail/address.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/mail/envelope.hpp"

namespace relay::auth::results {

/// At most so many dkim results; those that passed come before those that did not.
inline constexpr std::size_t kMaxDkimResults = 16;

/// What the field is about. Refers to what its maker owns.
struct Findings {
  const mail::Authentication& verdicts;
  const mail::ReversePath& sender;
  const mail::Client& client;
  bool smtputf8 = false;
};

/// "mx.example.org;⏎⇥iprev=…;⏎⇥spf=…": folded at 78 columns where a value allows it, without a CRLF
/// at its end. Holds nothing but our own words and what Value let through, at most some 16 KiB.
std::string results_value(std::string_view authserv_id, const Findings& findings);

/// "Authentication-Results: " value CRLF.
std::string results_field(std::string_view value);

}  // namespace relay::auth::results
