// The name of a copy in listings, in the log and for --after: "01JD7ZABCDEFGHJKMNPQRSTVWX/0".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "relay/mail/message.hpp"

namespace relay::ops {

std::string copy_name(const mail::CopyId& copy);

/// A full message id, with or without the number of a copy; without it, a position after all copies
/// of the message.
std::optional<mail::CopyId> parse_copy_name(std::string_view text);

}  // namespace relay::ops
