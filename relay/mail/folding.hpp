// Local parts in the form in which they are compared. RFC 5321 §2.4 leaves their meaning to the
// host they belong to. Among our own aliases, and wherever an address is only counted or
// recognised, case makes no difference, nor whether an accented letter is composed or decomposed.
#pragma once

#include <string>
#include <string_view>

namespace relay::mail {

/// The local part in lower case and NFC, as RFC 8265 §3.3 does with user names. Not full case
/// folding, which would make "straße" equal to "strasse": those are two mailboxes. Text that is
/// ASCII or not valid UTF-8 is folded in its ASCII letters only.
std::string folded_local_part(std::string_view local_part);

/// The text in NFC with its case kept: what looks the same has the same octets. ASCII, and text
/// that is not valid UTF-8, is returned unchanged.
std::string composed(std::string_view text);

}  // namespace relay::mail
