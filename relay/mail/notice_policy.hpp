// Who gets our notices (DSNs).
#pragma once

#include <cstdint>

namespace relay::mail {

/// The address of a sender who is not authenticated may be anybody's.
enum class NoticesTo : std::uint8_t {
  Authenticated,  ///< senders proven by SPF or an aligned signature
  Anyone,
};

/// Who is told when some mailboxes behind an alias did not get a message, and others did or still
/// may.
enum class PartialFailures : std::uint8_t { Sender, Postmaster, Nobody };

struct NoticePolicy {
  NoticesTo to = NoticesTo::Authenticated;
  PartialFailures partial = PartialFailures::Sender;

  friend bool operator==(const NoticePolicy&, const NoticePolicy&) = default;
};

}  // namespace relay::mail
