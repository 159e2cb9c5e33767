// Where a target in our own domains leads, by asking the planner that answers RCPT.
#pragma once

#include <optional>
#include <string>

#include "relay/mail/address.hpp"
#include "relay/review/review.hpp"

namespace relay::review {

struct DeadEnd {
  std::string why;   ///< continues a sentence: "which takes no mail: …"
  std::string hint;  ///< what may have been intended, or ""
};

/// Why mail for the target leads nowhere; nullopt: it is delivered, or it leaves for another host,
/// where only the DNS knows more.
std::optional<DeadEnd> dead_end(const Subject& subject, const mail::Mailbox& target);

/// A local part that no alias has, to find out what happens to unknown names.
inline constexpr const char* kNobody = "nobody-has-this-name";

/// The refusal as text: "550 5.1.1 No such user here".
std::string text_of(const forward::Rejection& refused);

/// Whether the refusal is about the route (a loop, or relaying denied), not about an unknown name.
bool is_of_the_way(const forward::Rejection& refused);

}  // namespace relay::review
