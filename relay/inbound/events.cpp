#include "relay/inbound/events.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "relay/base/text.hpp"
#include "relay/mail/author.hpp"
#include "relay/smtp/command.hpp"

namespace relay::inbound {

namespace {

// A list is for the human reader; the counts beside it are exact.
constexpr std::size_t kMaxListed = 10;

template <class Range, class Text>
std::string listed(const Range& range, Text text) {
  std::string out;
  std::size_t count = 0;
  for (const auto& entry : range) {
    if (count++ == kMaxListed) return out + ", …";
    if (!out.empty()) out += ", ";
    out += text(entry);
  }
  return out;
}

void add_dialogue(base::Event& event, const Dialogue& dialogue) {
  const mail::Client& client = dialogue.client;
  event.text("peer_ip", client.address).text("helo", client.helo);
  if (!dialogue.through.empty()) event.text("through", dialogue.through);
  if (dialogue.session != 0) event.number("session", static_cast<std::int64_t>(dialogue.session));
  if (!client.tls_version.empty()) {
    event.open("tls").text("version", client.tls_version).text("cipher", client.tls_cipher).close();
  }
}

/// "SRS0", "SRS1" or "": the form of the envelope sender with which a copy leaves.
std::string_view srs_form(const mail::ReversePath& reverse_path) {
  if (reverse_path.is_null()) return {};
  const std::string& local_part = reverse_path.mailbox().local_part();
  if (base::starts_with_ignoring_case(local_part, "SRS0")) return "SRS0";
  if (base::starts_with_ignoring_case(local_part, "SRS1")) return "SRS1";
  return {};
}

std::string signature_text(const mail::DkimVerdict& verdict) {
  std::string text = std::string(mail::name_of(verdict.result)) + ' ' + verdict.domain;
  if (!verdict.problem.empty()) text += " (" + verdict.problem + ')';
  return text;
}

/// The members of aliases that get nothing, because they lead nowhere.
void add_dead(base::Event& event, const std::vector<forward::ResolvedRecipient>& recipients) {
  std::vector<std::string> dead;
  for (const auto& recipient : recipients) {
    for (const auto& one : recipient.dead) dead.push_back(one.address + " (" + one.why + ')');
  }
  if (dead.empty()) return;
  event.text("dead", listed(dead, [](const std::string& text) { return text; }));
  event.number("dead_count", static_cast<std::int64_t>(dead.size()));
}

/// Long texts are cut as in every event: of many signatures only the first are listed.
void add_verdicts(base::Event& event, const forward::Evidence& evidence) {
  const mail::Authentication& found = evidence.verdicts;
  event.open("auth");
  event.text("iprev", mail::name_of(found.iprev.result));
  if (!found.iprev.name.empty()) event.text("ptr", found.iprev.name);
  event.text("helo", mail::name_of(found.helo.result));
  const mail::SpfVerdict& spf = found.spf(evidence.sender.is_null());
  event.text("spf", mail::name_of(spf.result)).text("spf_domain", spf.domain);
  if (!found.dkim.empty()) event.text("dkim", listed(found.dkim, signature_text));
  event.text("dmarc", mail::name_of(found.dmarc.result));
  event.text("from_domain", found.dmarc.from_domain);
  event.text("policy", mail::name_of(found.dmarc.policy));
  if (!found.dmarc.problem.empty()) event.text("problem", found.dmarc.problem);
  event.text("arc", mail::name_of(found.arc.result)).number("arc_sets", found.arc.instances);
  event.close();
}

/// By these a sender or a recipient asks for a message that never became one of ours.
void add_content(base::Event& event, const Intake& content) {
  event.text("msg_id", content.id().to_string());
  if (!content.reader().has_header()) return;
  const mail::Header& header = *content.reader().header();
  const std::string message_id = header.message_id();
  if (!message_id.empty()) event.text("message_id", message_id);
  const auto authors = mail::author_domains(header);
  if (authors) event.text("from_domain", listed(*authors, [](const auto& d) { return d.text(); }));
}

}  // namespace

Dialogue dialogue_of(const Transaction& transaction) {
  const Client& client = transaction.client();
  return {client.named, client.through, transaction.session()};
}

base::Event verdicts_event(const mail::MessageId& id, const Dialogue& dialogue,
                           const forward::Evidence& evidence, base::WallTime now) {
  base::Event event("verdicts", now);
  event.text("msg_id", id.to_string());
  add_dialogue(event, dialogue);
  event.text("mail_from", evidence.sender.to_string());
  add_verdicts(event, evidence);
  return event;
}

std::string_view stage_of(std::string_view line) {
  switch (smtp::verb_of(line)) {
    case smtp::Verb::Helo:
    case smtp::Verb::Ehlo:
      return "helo";
    case smtp::Verb::Mail:
      return "mail";
    case smtp::Verb::Rcpt:
      return "rcpt";
    case smtp::Verb::Data:
      return "data";
    default:
      return "command";
  }
}

std::string_view recipient_in(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (smtp::verb_of(line) != smtp::Verb::Rcpt || colon == std::string_view::npos) return {};
  return line.substr(colon + 1);
}

base::Event rejected_event(const Rejected& rejected, const smtp::Reply& reply, base::WallTime now) {
  base::Event event("rejected", now,
                    rejected.is_trouble_here ? base::Severity::Warning : base::Severity::Info);
  add_dialogue(event, rejected.dialogue);
  if (rejected.envelope != nullptr) {
    event.text("mail_from", rejected.envelope->reverse_path.to_string());
  }
  if (rejected.stage == "rcpt") {
    if (!rejected.forward_path.empty()) event.text("rcpt", rejected.forward_path);
  } else if (rejected.envelope != nullptr && !rejected.envelope->forward_paths.empty()) {
    const auto& paths = rejected.envelope->forward_paths;
    event.text("rcpt", listed(paths, [](const auto& path) { return path.to_string(); }))
        .number("rcpt_count", static_cast<std::int64_t>(paths.size()));
  }
  if (rejected.content != nullptr) add_content(event, *rejected.content);
  event.open("smtp").text("stage", rejected.stage).number("code", reply.code());
  if (reply.status().klass != 0) event.text("enhanced", reply.status().to_string());
  event.text("text", reply.text()).close();
  return event;
}

base::Event resent_event(const mail::MessageId& id, const Dialogue& dialogue, base::WallTime now) {
  base::Event event("resent", now);
  event.text("msg_id", id.to_string());
  add_dialogue(event, dialogue);
  return event;
}

base::Event received_event(const mail::QueuedMessage& queued,
                           const std::vector<forward::ResolvedRecipient>& recipients,
                           const std::optional<forward::Evidence>& evidence,
                           const Dialogue& dialogue, base::WallTime now) {
  const mail::AcceptedMessage& message = queued.message;
  base::Event event("received", now);
  event.text("msg_id", message.id.to_string());
  add_dialogue(event, dialogue);
  event.text("mail_from", message.reverse_path.to_string());
  event.text("rcpt", listed(recipients, [](const auto& r) { return r.original.to_string(); }));
  event.number("rcpt_count", static_cast<std::int64_t>(recipients.size()));
  event.open("alias").text("rule", listed(recipients, [](const auto& r) { return r.rule; }));
  add_dead(event, recipients);
  event.close();
  std::vector<const mail::Route*> leaving;
  std::vector<const mail::Route*> standing_by;
  for (const auto& recipient : queued.recipients) {
    (recipient.route.stands_by ? standing_by : leaving).push_back(&recipient.route);
  }
  const auto target_of = [](const mail::Route* route) { return route->target.to_string(); };
  event.text("target", listed(leaving, target_of));
  event.number("target_count", static_cast<std::int64_t>(leaving.size()));
  event.text("handling",
             listed(leaving, [](const mail::Route* route) { return mail::name(route->handling); }));
  if (!standing_by.empty()) event.text("fallback", listed(standing_by, target_of));
  const auto held = std::ranges::count(queued.recipients, mail::RecipientState::Held,
                                       &mail::QueuedRecipient::state);
  if (held > 0) event.number("held_count", held);
  std::vector<std::string> awaits;
  for (const auto& recipient : queued.recipients) {
    if (!recipient.route.awaits.empty()) awaits.push_back(recipient.route.awaits);
  }
  if (!awaits.empty()) {
    event.text("awaits_consent", listed(awaits, [](const std::string& text) { return text; }));
  }
  if (!message.message_id.empty()) event.text("message_id", "<" + message.message_id + ">");
  if (evidence) add_verdicts(event, *evidence);
  event.number("size", static_cast<std::int64_t>(message.size));
  const auto rewritten = std::ranges::find_if(queued.recipients, [](const auto& recipient) {
    return !srs_form(recipient.route.reverse_path).empty();
  });
  if (rewritten != queued.recipients.end()) {
    event.open("srs").text("form", srs_form(rewritten->route.reverse_path)).close();
  }
  return event;
}

base::Event sender_not_stored_event(const mail::MessageId& id, const mail::SenderToken& sender,
                                    base::WallTime now) {
  base::Event event("sender_not_stored", now, base::Severity::Warning);
  event.text("msg_id", id.to_string())
      .text("mail_from", sender.reverse_path.to_string())
      .text("counted_under", sender.counted_under)
      .number("most", sender.most);
  return event;
}

std::vector<base::Event> ended_events(const mail::QueuedMessage& queued, bool told,
                                      base::WallTime now) {
  std::vector<std::string> discarded;
  std::vector<std::string> refused;
  for (const mail::QueuedRecipient& copy : queued.recipients) {
    if (copy.end == mail::End::Discarded) discarded.push_back(copy.route.target.to_string());
    if (copy.end == mail::End::Refused) refused.push_back(copy.route.original.to_string());
  }
  std::vector<base::Event> events;
  const auto add = [&](std::string_view name, const std::vector<std::string>& aliases) {
    base::Event event(name, now);
    event.text("msg_id", queued.message.id.to_string())
        .text("alias", listed(aliases, [](const std::string& text) { return text; }))
        .number("copies", static_cast<std::int64_t>(aliases.size()));
    events.push_back(std::move(event));
  };
  if (!discarded.empty()) add("discarded", discarded);
  if (refused.empty()) return events;
  add("too_large", refused);
  events.back().flag("dsn", told);
  return events;
}

}  // namespace relay::inbound
