// What senders are told: from the notices of a message to its DSNs, as messages of our own that are
// ready for the queue (RFC 3464, RFC 5321 §6.1). Decides who hears of what; when a report is due,
// and that each is made once, is the queue's business.
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
#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/signer.hpp"

namespace relay::delivery {

/// Why the sender is told nothing, neither of failures nor of delays; "": it may be. The null
/// sender never is, so that no DSN is answered by another; nor is a sender whom nobody vouches for,
/// unless policy says so: it may be anybody's address. Where this is not "", no notice need be
/// written.
std::string_view silence_towards(const mail::AcceptedMessage& message, const Policy& policy);

/// Mail that no human waits for gets no delay notices (RFC 3834 §2): auto-submitted, bulk, lists.
bool is_automatic(std::string_view header_block);

struct ReportOrder {
  ports::Notices notices;
  std::string header_block;  ///< of the original, as received
  base::WallTime now;
  std::function<mail::MessageId()> new_id = {};  ///< empty: from the system's random source
};

/// A DSN written, or deliberately not: for the log, since nothing is dropped in silence.
struct DsnNote {
  mail::MessageId id;          ///< of the DSN; zero: none was written
  std::string reason;          ///< why not
  bool to_postmaster = false;  ///< and not to the sender
  std::size_t failed = 0;      ///< copies it tells of, or does not
  std::size_t delayed = 0;
};

struct WrittenReport {
  ports::Report report;  ///< names all notices of the order, whether somebody is told or not
  std::vector<DsnNote> notes;
};

/// Failures and delays for one reader share a DSN, or several when they are too many for one. DSNs
/// go under the null sender, so that they never bounce, and are signed for our hostname where
/// `signer`, which may be null, has a key: an unsigned DSN is better than none.
base::Task<WrittenReport> write_report(ReportOrder order, std::shared_ptr<const Policy> policy,
                                       ports::Signer* signer);

}  // namespace relay::delivery
