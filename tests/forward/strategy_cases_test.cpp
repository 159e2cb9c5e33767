// strategy_cases.json: arrivals, with the choice and the verdicts of the next hop written out by
// hand. Plain data, so that a system test can send the same mail through the real relay.
#include <fstream>
#include <iterator>
#include <map>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/forward/house.hpp"
#include "tests/source_dir.hpp"

namespace relay::forward {
namespace {

namespace json = boost::json;

json::array cases() {
  std::ifstream file(RELAY_SOURCE_DIR "/tests/forward/strategy_cases.json");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return json::parse(text).as_array();
}

std::string word(const json::object& of, const char* key, const char* otherwise = "") {
  const auto* value = of.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : otherwise;
}

bool flag(const json::object& of, const char* key) {
  const auto* value = of.if_contains(key);
  return value && value->as_bool();
}

/// The enumerator that has this name.
template <class Enum>
Enum named(const std::string& name, int count) {
  for (int i = 0; i < count; ++i) {
    if (mail::name_of(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  ADD_FAILURE() << "no such result: " << name;
  return Enum{};
}

Evidence evidence_of(const json::object& one) {
  Evidence known;
  known.signing_domain = "relay.example";
  const auto spf = named<mail::SpfResult>(word(one, "spf"), 7);
  if (const std::string sender = word(one, "mail_from"); !sender.empty()) {
    known.sender = mail::ReversePath(house::mailbox(sender));
    known.verdicts.mail_from = {.result = spf, .domain = sender.substr(sender.find('@') + 1)};
  } else {
    known.verdicts.helo = {
        .result = spf, .identity = mail::SpfIdentity::Helo, .domain = "mx.mailer.example"};
  }
  if (word(one, "dkim") != "none") {
    known.verdicts.dkim = {{.result = named<mail::DkimResult>(word(one, "dkim"), 7),
                            .domain = word(one, "dkim_domain"),
                            .testing = flag(one, "testing_key")}};
  }
  const auto dmarc = named<mail::DmarcResult>(word(one, "dmarc"), 5);
  known.verdicts.dmarc = {
      .result = dmarc,
      .from_domain = word(one, "from_domain"),
      .policy_domain = dmarc == mail::DmarcResult::None ? "" : word(one, "from_domain"),
      .policy = named<mail::DmarcPolicy>(word(one, "policy"), 3),
      .spf_aligned = flag(one, "spf_aligned"),
      .dkim_aligned = flag(one, "dkim_aligned"),
      .reserved_aligned = flag(one, "reserved_aligned")};
  known.verdicts.arc = {.result = named<mail::ArcResult>(word(one, "arc", "none"), 4),
                        .instances = static_cast<std::uint8_t>(one.contains("arc") ? 1 : 0),
                        .last_sealer = word(one, "last_sealer")};
  known.sealer_saw_pass = flag(one, "sealer_saw_pass");
  known.egress_spf = named<mail::SpfResult>(word(one, "egress_spf"), 7);
  return known;
}

DmarcSettings settings_of(const json::object& one) {
  const std::map<std::string, OnDmarcFail> on_fail{{"policy", OnDmarcFail::Policy},
                                                   {"forward", OnDmarcFail::Forward},
                                                   {"hold", OnDmarcFail::Hold}};
  return {.on_dmarc_fail = on_fail.at(word(one, "on_dmarc_fail", "policy")),
          .quarantine = word(one, "quarantine") == "tag" ? Quarantine::Tag : Quarantine::RiskPool,
          .rewrite_from = word(one, "rewrite_from") == "when-needed" ? RewriteFrom::WhenNeeded
                                                                     : RewriteFrom::Never};
}

/// What was chosen, in the words of the file.
json::object told(const Choice& choice) {
  if (choice.refusal) {
    return {
        {"choice", "refuse"},
        {"reply", std::to_string(choice.refusal->code) + ' ' + choice.refusal->status.to_string()}};
  }
  const Prediction& found = choice.prediction();
  return {{"choice", name_of(choice.option)},
          {"spf", found.spf ? json::value(mail::name_of(*found.spf)) : json::value(nullptr)},
          {"dkim", mail::name_of(found.dkim)},
          {"dmarc", mail::name_of(found.dmarc)},
          {"outlook", name_of(found.outlook)},
          {"risk_pool", choice.risk_pool},
          {"tag", choice.tag},
          {"hold", choice.hold}};
}

TEST(StrategyCases, ChooseAndPredictWhatIsWritten) {
  const Strategy strategy = house::strategy(house::policy());
  const json::array all = cases();
  ASSERT_GE(all.size(), 60U);
  for (const json::value& value : all) {
    const json::object& one = value.as_object();
    const Choice choice =
        strategy.choose(evidence_of(one), settings_of(one), word(one, "target", "target.example"));
    EXPECT_EQ(json::value(told(choice)), one.at("expect"))
        << word(one, "name") << "\n  " << choice.reason;
  }
}

}  // namespace
}  // namespace relay::forward
