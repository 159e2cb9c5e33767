// `srs-relay verify`: what the relay would do with a stored message: every DNS answer, verdict and
// decision, and what the next receiver will probably find. Does not use queue or daemon.
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

/// A stored message, and how it arrived.
struct StoredMessage {
  std::string content;  ///< CRLF line ends
  boost::asio::ip::address client;
  std::string helo;
  mail::ReversePath sender;
  /// Without a recipient, [defaults] decide, for no particular target.
  std::optional<mail::ForwardPath> recipient;
};

/// The decision for the copy to one target.
struct TargetDecision {
  std::string target;  ///< "" without a recipient
  forward::Choice choice;
};

struct Verification {
  std::vector<RecordedAnswer> answers;
  forward::Evidence evidence;
  std::string results;                 ///< the Authentication-Results value
  std::optional<smtp::Reply> refusal;  ///< the reply that refuses recipient or message
  std::vector<TargetDecision> decisions;
};

/// Blocks during the lookups, at most [auth] timeout.
Verification verify_message(const Policies& policies, OfflineLookups& lookups,
                            const StoredMessage& message);

boost::json::object to_json(const Verification& verification);

/// The same as text for people.
std::string to_text(const Verification& verification);

}  // namespace relay::app
