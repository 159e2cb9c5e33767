#include "relay/ops/queue_json.hpp"

#include <boost/json/array.hpp>

#include "relay/base/log.hpp"
#include "relay/mail/outcome.hpp"

namespace relay::ops {

namespace json = boost::json;

namespace {

json::object attempt_json(const mail::DeliveryAttempt& attempt) {
  json::object o;
  o["at"] = base::rfc3339(attempt.at);
  o["host"] = attempt.host;
  o["address"] = attempt.address;
  o["port"] = attempt.port;
  o["tls"] = attempt.tls;
  o["stage"] = mail::name(attempt.stage);
  o["code"] = attempt.code;
  o["enhanced"] = attempt.status.to_string();
  o["text"] = attempt.text;
  return o;
}

json::object handling_json(const mail::Route& route) {
  const mail::Handling& handling = route.handling;
  return {{"seal", handling.seal},
          {"pool", handling.risk_pool ? "risk" : "ordinary"},
          {"new_author", handling.new_author},
          {"held_on_entry", route.held},
          {"awaits_consent", route.awaits},
          {"reason", handling.reason}};
}

json::object recipient_json(const mail::QueuedRecipient& recipient) {
  json::object o;
  o["index"] = recipient.route.index;
  o["alias"] = recipient.route.original.to_string();
  o["target"] = recipient.route.target.to_string();
  o["sender"] = recipient.route.reverse_path.to_string();
  o["handling"] = handling_json(recipient.route);
  o["state"] = state_name(recipient.state);
  o["attempts"] = recipient.attempts;
  if (recipient.state == mail::RecipientState::Waiting) {
    o["next_attempt"] = base::rfc3339(recipient.next_due);
  }
  if (recipient.released_at != base::WallTime{}) {
    o["released"] = base::rfc3339(recipient.released_at);
  }
  o["possible_duplicate"] = recipient.possible_duplicate;
  if (recipient.attempts > 0) o["last"] = attempt_json(recipient.last);
  return o;
}

void add_message(json::object& o, const mail::AcceptedMessage& message) {
  o["v"] = 1;
  o["id"] = message.id.to_string();
  o["received"] = base::rfc3339(message.received_at);
  o["mail_from"] = message.reverse_path.to_string();
  o["size"] = message.size;
  o["client"] = message.client.address;
}

}  // namespace

std::string_view state_name(mail::RecipientState state) {
  switch (state) {
    case mail::RecipientState::Waiting:
      return "waiting";
    case mail::RecipientState::Held:
      return "held";
    case mail::RecipientState::Delivered:
      return "delivered";
    case mail::RecipientState::Failed:
      return "failed";
  }
  return "waiting";
}

json::object row_json(const ports::QueueRow& row) {
  json::object o;
  add_message(o, row.message);
  for (auto& [key, value] : recipient_json(row.recipient)) o[key] = std::move(value);
  return o;
}

json::object message_json(const mail::QueuedMessage& queued) {
  json::object o;
  add_message(o, queued.message);
  o["helo"] = queued.message.client.helo;
  o["tls"] = queued.message.client.tls_version;
  json::array copies;
  for (const auto& recipient : queued.recipients) copies.push_back(recipient_json(recipient));
  o["copies"] = std::move(copies);
  return o;
}

json::object why_json(const mail::QueuedMessage& queued,
                      const std::vector<ports::AttemptRow>& attempts, const PaceOf& pace) {
  json::object o = message_json(queued);
  for (std::size_t i = 0; pace && i < queued.recipients.size(); ++i) {
    const auto& copy = queued.recipients[i];
    if (copy.state != mail::RecipientState::Waiting) continue;
    const auto kept_back = pace(queued.message.id, copy.route);
    if (!kept_back) continue;
    o["copies"].as_array()[i].as_object()["paced"] =
        json::object{{"before", kept_back->copies_before},
                     {"copies", kept_back->copies},
                     {"span_s", kept_back->span.count()}};
  }
  json::array rows;
  for (const auto& row : attempts) {
    json::object entry = attempt_json(row.attempt);
    entry["index"] = row.index;
    rows.push_back(std::move(entry));
  }
  o["history"] = std::move(rows);
  return o;
}

}  // namespace relay::ops
