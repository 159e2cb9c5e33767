// What is planned of one message: the question and its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/forward/evidence.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/strategy.hpp"
#include "relay/mail/message.hpp"

namespace relay::forward {

/// A message to forward. References, not copies: the caller keeps the values alive.
struct Incoming {
  const mail::MessageId& id;
  /// MAIL FROM; for an SRS address of ours, the sender that it stands for
  const mail::ReversePath& sender;
  const std::string& client_address;  ///< IP
  base::WallTime now;
  std::uint64_t size = 0;  ///< of the content, in octets; 0: not known
  /// The authors in From. Used only where incoming mail is not verified, so that nothing else is
  /// known of them.
  NamedAuthors authors = std::unexpected(mail::AuthorProblem::Nobody);
  LateRefusal late = LateRefusal::Refuse;
  /// Why the client would be refused if its message had come directly, when a gateway stands
  /// between that must not be told so; else "".
  std::string unwelcome = {};
};

struct Plan {
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
  bool hold = false;        ///< every copy is stored as held, for the operator to look at
  std::string tag_field;    ///< the operator's field to put in front, CRLF-terminated; or ""
  std::string signed_by;    ///< d= that our signature over the original header may bear; "": none
  bool new_author = false;  ///< some copies need rewritten_header()
  /// The different choices that were made, for the log; that of the first target first. Empty when
  /// incoming mail is not verified.
  std::vector<Choice> choices;
  std::vector<std::size_t> chosen;  ///< for each route, its index in `choices`
};

/// A message that is refused, with the choices made so far; the last of them is the refusal.
struct PlanRefusal : Rejection {
  std::vector<Choice> choices;
};

}  // namespace relay::forward
