// Turns the notices of a message into DSNs that are ready for the queue (RFC 3464, RFC 5321 §6.1).
// Decides who is told of what. The queue decides when a report is due, and that it is made once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/delivery/policy.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/notices.hpp"
#include "relay/ports/signer.hpp"

namespace relay::delivery {

/// Why the sender is told neither of failures nor of delays; "": it may be told. The null sender
/// never is (guarantee "No bounce of a bounce"). A sender that nothing proves is told only if the
/// policy says so, because the address may be forged (guarantee "Bounces go to senders somebody
/// vouches for"). If this is not "", no notice need be written.
std::string_view silence_towards(const mail::AcceptedMessage& message, const Policy& policy);

/// Mail that no human waits for gets no delay notice (RFC 3834 §2): auto-submitted, bulk, lists.
bool is_automatic(std::string_view header_block);

struct ReportOrder {
  ports::Notices notices;
  std::string header_block;  ///< of the original, as received
  base::WallTime now;
  std::function<mail::MessageId()> new_id = {};  ///< empty: a random one
};

/// A DSN that was written, or deliberately not; for the log.
struct DsnNote {
  mail::MessageId id;          ///< of the DSN; zero: none was written
  std::string reason;          ///< why not
  bool to_postmaster = false;  ///< instead of to the sender
  std::size_t failed = 0;      ///< copies it is about
  std::size_t delayed = 0;
};

struct WrittenReport {
  ports::Report report;  ///< names all notices of the order, whether told or not
  std::vector<DsnNote> notes;
};

/// Failures and delays for one reader share a DSN, or several if they are too many. DSNs have the
/// null sender, so that they never bounce, and are signed for our hostname if `signer` (may be
/// null) has a key: an unsigned DSN is better than none.
base::Task<WrittenReport> write_report(ReportOrder order, std::shared_ptr<const Policy> policy,
                                       ports::Signer* signer);

}  // namespace relay::delivery
