// Messages and outcomes as the queue is given them.
#pragma once

#include <string>
#include <vector>

#include "relay/base/sha256.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "tests/support/mailbox.hpp"

namespace relay::spool {

inline const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

using support::mailbox;

inline mail::Route route_to(std::uint16_t index, const std::string& target) {
  return {.index = index,
          .original = mail::ForwardPath(mailbox("info@fwd.example")),
          .target = mailbox(target),
          .reverse_path = mail::ReversePath(mailbox("srs@fwd.example"))};
}

/// A message with one copy for each target; all of the content is still to be stored. `begun`: when
/// it got its id.
inline ports::NewMessage message_to(const std::vector<std::string>& targets,
                                    const std::string& content = "body",
                                    base::WallTime begun = kNow) {
  ports::NewMessage made;
  made.message.id = mail::MessageId::generate(begun);
  made.message.reverse_path = mail::ReversePath(mailbox("\"Ann B\"@sender.example"));
  made.message.smtputf8 = true;
  made.message.client = {"192.0.2.1", 4711, "client.example", true, "TLSv1.3", "X"};
  made.message.trace_fields = "Received: x\r\n";
  made.message.message_id = "4711@sender.example";
  made.message.size = content.size();
  made.content_sha256 = base::sha256(content);
  made.content = content;
  for (const std::string& target : targets) {
    made.routes.push_back(route_to(static_cast<std::uint16_t>(made.routes.size()), target));
  }
  return made;
}

/// For one recipient.
inline ports::NewMessage a_message(const std::string& content) {
  return message_to({"a@x.example"}, content);
}

/// The outcome of the first attempt at a copy.
inline ports::CopyUpdate outcome(std::uint16_t index, mail::RecipientState state,
                                 std::uint32_t attempts_before = 0) {
  using mail::RecipientState;
  ports::CopyUpdate update;
  update.index = index;
  update.attempts_before = attempts_before;
  update.state = state;
  update.retry_after = std::chrono::minutes(5);
  update.end = state == RecipientState::Delivered ? mail::End::Delivered
               : state == RecipientState::Failed  ? mail::End::Refused
                                                  : mail::End::None;
  mail::DeliveryAttempt attempt;
  attempt.at = kNow;
  attempt.host = "mx.example";
  attempt.address = "192.0.2.25";
  attempt.port = 25;
  attempt.stage = mail::Stage::RcptTo;
  attempt.code = state == RecipientState::Delivered ? 250 : 450;
  attempt.status = {static_cast<std::uint16_t>(attempt.code / 100), 2, 0};
  attempt.text = "later";
  update.attempts.push_back(attempt);
  return update;
}

/// The outcome of an attempt that began with the copy as it was loaded.
inline ports::CopyUpdate outcome_of(const mail::QueuedRecipient& copy, mail::RecipientState state) {
  auto update = outcome(copy.route.index, state, copy.attempts);
  update.changes_before = copy.changes;
  return update;
}

}  // namespace relay::spool
