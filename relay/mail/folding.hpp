// Local parts as they are compared. RFC 5321 §2.4 leaves their meaning to the host they belong to;
// among our own aliases, and wherever an address is only counted or known again, case and the way
// in which a letter with an accent is put together make no difference.
#pragma once

#include <string>
#include <string_view>

namespace relay::mail {

/// What two writings of one local part have in common: lower case and NFC, as RFC 8265 §3.3 has it
/// for user names. Not the full case folding, which makes one of "straße" and "strasse": those are
/// two mailboxes. ASCII is folded without looking further; text that is no UTF-8, in ASCII only.
std::string folded_local_part(std::string_view local_part);

/// NFC, the case kept: what is the same to the eye is the same octets. Other text stays as it is.
std::string composed(std::string_view text);

}  // namespace relay::mail
