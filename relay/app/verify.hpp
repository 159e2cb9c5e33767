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

/// A stored message, and how it arrived. Its client has said SIZE=, as nearly all do.
struct StoredMessage {
  std::string content;  ///< as before dot-stuffing; the last line may lack its CRLF
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
  mail::ReversePath sender;  ///< whom the message is handled as from; see Directory::sender_behind
  forward::Evidence evidence;
  std::string results;  ///< the Authentication-Results value; "": content refused
  std::optional<smtp::Reply>
      refusal;  ///< the first reply that refuses sender, recipient or content
  std::vector<TargetDecision> decisions;
  std::vector<std::string> notes;  ///< what only the running relay could say
};

/// Blocks during the lookups, at most [auth] timeout.
Verification verify_message(const Policies& policies, OfflineLookups& lookups,
                            const StoredMessage& message);

boost::json::object to_json(const Verification& verification);

/// The same as text for people.
std::string to_text(const Verification& verification);

}  // namespace relay::app
