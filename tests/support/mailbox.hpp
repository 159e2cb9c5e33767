// A mailbox from a literal.
#pragma once

#include <string_view>

#include "relay/mail/address.hpp"

namespace relay::support {

/// `text` must be a mailbox.
inline mail::Mailbox mailbox(std::string_view text) { return *mail::Mailbox::parse(text); }

}  // namespace relay::support
