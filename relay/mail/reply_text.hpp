// The words of an attempt, apart from the codes in front of them. DeliveryAttempt::text holds the
// lines of a reply as they were said behind the reply code, enhanced codes included; what shows
// codes of its own beside them takes the words from here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/outcome.hpp"

namespace relay::mail {

/// True when a remote server said it. A reason of ours is none, with whatever code it goes.
bool is_remote_reply(const DeliveryAttempt& attempt);

/// One line of a reply behind its reply code, or our reason as a whole. Views into the attempt.
struct ReplyLine {
  std::string_view enhanced;  ///< "5.1.1"; "" when the line has none that fits the reply code
  std::string_view words;     ///< what stands behind it
};

/// In order, lines without words and without enhanced code left out. Empty when nothing was said.
std::vector<ReplyLine> reply_lines(const DeliveryAttempt& attempt);

/// All lines in one without their enhanced codes, for logs and listings that show `code` and
/// `status` themselves. Untrusted octets.
std::string words_of(const DeliveryAttempt& attempt);

}  // namespace relay::mail
