// `srs-relay verify`: what the relay would make of a stored message, with every answer, verdict and
// decision, and what the next receiver is expected to find. Touches neither queue nor daemon.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "relay/app/policies.hpp"
#include "relay/app/recorded_resolver.hpp"
#include "relay/app/wiring_offline.hpp"
#include "relay/forward/planner.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::app {

/// A stored message, and how it came.
struct StoredMessage {
  std::string content;  ///< CRLF line ends
  boost::asio::ip::address client;
  std::string helo;
  mail::ReversePath sender;
  std::optional<mail::ForwardPath> recipient;  ///< none: decided by [defaults], for no target
};

/// What becomes of the copy for one target.
struct TargetDecision {
  std::string target;  ///< "" without a recipient
  forward::Choice choice;
};

struct Verification {
  std::vector<RecordedAnswer> answers;
  forward::Evidence evidence;
  std::string results;                 ///< the Authentication-Results value
  std::optional<smtp::Reply> refusal;  ///< of the recipient or the message
  std::vector<TargetDecision> decisions;
};

/// Blocks for as long as the lookups take, at most [auth] timeout.
Verification verify_message(const Policies& policies, OfflineLookups& lookups,
                            const StoredMessage& message);

boost::json::object to_json(const Verification& verification);

/// The same for the eye.
std::string to_text(const Verification& verification);

}  // namespace relay::app
