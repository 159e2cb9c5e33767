// The words of an attempt without the codes in front of them. DeliveryAttempt::text holds the lines
// of a reply as they were said after the reply code, enhanced codes included; output that shows
// codes separately takes the words from here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/outcome.hpp"

namespace relay::mail {

/// True when a remote server said it. A reason of our own is no reply, whatever its code.
bool is_remote_reply(const DeliveryAttempt& attempt);

/// One line of a reply without its reply code, or a whole reason of our own. Views into the
/// attempt.
struct ReplyLine {
  std::string_view enhanced;  ///< "5.1.1"; "" when none agrees with the reply code
  std::string_view words;     ///< what follows
};

/// In order; lines with neither words nor enhanced code are left out. Empty when nothing was said.
std::vector<ReplyLine> reply_lines(const DeliveryAttempt& attempt);

/// All lines joined, without enhanced codes, for logs and listings that show `code` and `status`
/// separately. Untrusted octets.
std::string words_of(const DeliveryAttempt& attempt);

}  // namespace relay::mail
