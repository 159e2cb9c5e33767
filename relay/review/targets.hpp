// Where a target leads that is an address of ours, asked of the planner that answers RCPT.
#pragma once

#include <optional>
#include <string>

#include "relay/mail/address.hpp"
#include "relay/review/review.hpp"

namespace relay::review {

struct DeadEnd {
  std::string why;   ///< goes on a sentence: "which takes no mail: …"
  std::string hint;  ///< what may have been meant, or ""
};

/// nullopt: mail for it goes on, or leaves; whether it arrives elsewhere only the DNS can tell.
std::optional<DeadEnd> dead_end(const Subject& subject, const mail::Mailbox& target);

/// Of a name that nobody has, for asking what becomes of all the others.
inline constexpr const char* kNobody = "nobody-has-this-name";

/// What a refusal says: "550 5.1.1 No such user here".
std::string text_of(const forward::Rejection& refused);

/// Mail that goes round, or is refused at the door of a name of ours; not a name that is missing.
bool is_of_the_way(const forward::Rejection& refused);

}  // namespace relay::review
