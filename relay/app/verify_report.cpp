// The output of `verify`: one JSON object, or text for people.
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "relay/app/verify.hpp"
#include "relay/base/text.hpp"

namespace relay::app {

namespace json = boost::json;

namespace {

// Foreign text is printed as base::printable(): TXT records can contain any octets, and names to
// look up are made from what the client said.

json::object json_of(const forward::Prediction& prediction) {
  json::object o{{"dmarc", mail::name_of(prediction.dmarc)},
                 {"policy", mail::name_of(prediction.policy)},
                 {"dkim", mail::name_of(prediction.dkim)},
                 {"spf_domain", prediction.spf_domain},
                 {"spf_aligned", prediction.spf_aligned},
                 {"dkim_aligned", prediction.dkim_aligned},
                 {"arc", mail::name_of(prediction.arc)},
                 {"signed_by", prediction.signed_by},
                 {"outlook", forward::name_of(prediction.outlook)}};
  o["spf"] = prediction.spf ? json::value(mail::name_of(*prediction.spf)) : json::value(nullptr);
  return o;
}

/// Null for Refuse, where there is nothing to predict.
json::value json_of(const forward::Considered& one) {
  if (one.option == forward::Option::Refuse) return nullptr;
  return json_of(one.prediction);
}

json::object json_of(const TargetDecision& decision) {
  const forward::Choice& choice = decision.choice;
  json::array considered;
  for (const forward::Considered& one : choice.considered) {
    considered.emplace_back(json::object{{"option", forward::name_of(one.option)},
                                         {"prediction", json_of(one)},
                                         {"objection", one.objection}});
  }
  return {{"target", decision.target},
          {"option", forward::name_of(choice.option)},
          {"reason", choice.reason},
          {"risk_pool", choice.risk_pool},
          {"tag", choice.tag},
          {"hold", choice.hold},
          {"prediction", json_of(choice.considered[static_cast<std::size_t>(choice.option)])},
          {"considered", std::move(considered)}};
}

json::object json_of(const mail::SpfVerdict& spf) {
  return {{"result", mail::name_of(spf.result)},
          {"domain", spf.domain},
          {"mechanism", spf.mechanism},
          {"problem", spf.problem}};
}

json::object json_of(const mail::Authentication& found) {
  json::array signatures;
  for (const mail::DkimVerdict& one : found.dkim) {
    signatures.emplace_back(json::object{{"result", mail::name_of(one.result)},
                                         {"domain", one.domain},
                                         {"selector", one.selector},
                                         {"algorithm", one.algorithm},
                                         {"key_bits", one.key_bits},
                                         {"problem", one.problem}});
  }
  return {{"iprev",
           json::object{{"result", mail::name_of(found.iprev.result)}, {"name", found.iprev.name}}},
          {"helo", json_of(found.helo)},
          {"mail_from", json_of(found.mail_from)},
          {"dkim", std::move(signatures)},
          {"dmarc", json::object{{"result", mail::name_of(found.dmarc.result)},
                                 {"from_domain", found.dmarc.from_domain},
                                 {"policy_domain", found.dmarc.policy_domain},
                                 {"policy", mail::name_of(found.dmarc.policy)},
                                 {"testing", found.dmarc.testing},
                                 {"spf_aligned", found.dmarc.spf_aligned},
                                 {"dkim_aligned", found.dmarc.dkim_aligned},
                                 {"problem", found.dmarc.problem}}},
          {"arc", json::object{{"result", mail::name_of(found.arc.result)},
                               {"instances", found.arc.instances},
                               {"last_sealer", found.arc.last_sealer},
                               {"problem", found.arc.problem}}}};
}

std::string text_of(const forward::Prediction& prediction) {
  return fmt::format("spf={} dkim={} arc={} -> dmarc={}, {}",
                     prediction.spf ? mail::name_of(*prediction.spf) : "unknown",
                     mail::name_of(prediction.dkim), mail::name_of(prediction.arc),
                     mail::name_of(prediction.dmarc), forward::name_of(prediction.outlook));
}

std::string text_of(const TargetDecision& decision) {
  const forward::Choice& choice = decision.choice;
  std::string out = fmt::format(
      "\nfor {}\n  {}\n", decision.target.empty() ? "any target" : decision.target, choice.reason);
  for (const forward::Considered& one : choice.considered) {
    const bool refused = one.option == forward::Option::Refuse;
    out += fmt::format("  {} {:<10} {}{}\n", one.option == choice.option ? '*' : ' ',
                       forward::name_of(one.option), refused ? "" : text_of(one.prediction),
                       one.objection.empty() ? "" : "  [not: " + one.objection + "]");
  }
  return out;
}

}  // namespace

json::object to_json(const Verification& verification) {
  json::array answers;
  for (const RecordedAnswer& one : verification.answers) {
    json::object answer{{"question", base::printable(one.question)}};
    if (!one.error.empty()) answer["error"] = one.error;
    json::array records;
    for (const std::string& record : one.records) records.emplace_back(base::printable(record));
    answer["records"] = std::move(records);
    answers.emplace_back(std::move(answer));
  }
  json::array decisions;
  for (const TargetDecision& one : verification.decisions) decisions.emplace_back(json_of(one));
  json::object out{{"v", 1},
                   {"dns", std::move(answers)},
                   {"sender", verification.sender.to_string()},
                   {"verdicts", json_of(verification.evidence.verdicts)},
                   {"authentication_results", verification.results},
                   {"decisions", std::move(decisions)},
                   {"notes", json::array(verification.notes.begin(), verification.notes.end())}};
  if (verification.refusal) {
    const smtp::Reply& refusal = *verification.refusal;
    out["reply"] =
        fmt::format("{} {} {}", refusal.code(), refusal.status().to_string(), refusal.text());
  }
  return out;
}

std::string to_text(const Verification& verification) {
  std::string out = "DNS\n";
  for (const RecordedAnswer& one : verification.answers) {
    out += "  " + base::printable(one.question) +
           (one.error.empty() ? "" : "  (" + one.error + ")") + '\n';
    for (const std::string& record : one.records) out += "      " + base::printable(record) + '\n';
  }
  if (!verification.results.empty()) {
    out += "\nAuthentication-Results: ";
    for (const char c : verification.results) {
      if (c != '\r') out += c;
    }
    out += '\n';
  }
  out += "\nfrom <" + base::printable(verification.sender.to_string()) + ">\n";
  for (const std::string& note : verification.notes) out += "  " + note + '\n';
  for (const TargetDecision& one : verification.decisions) out += text_of(one);
  if (verification.refusal) {
    const smtp::Reply& refusal = *verification.refusal;
    out += fmt::format("\nreply {} {} {}\n", refusal.code(), refusal.status().to_string(),
                       refusal.text());
  }
  return out;
}

}  // namespace relay::app
