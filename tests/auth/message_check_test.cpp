// Whole messages by someone with a domain, an SPF record and a DKIM key of his own: the spoofs of
// "Composition Kills" against a domain that wants them refused.
#include "relay/auth/message_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/arc/hops.hpp"
#include "tests/auth/dkim/test_signer.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth {
namespace {

using namespace std::chrono_literals;
using mail::DkimResult;
using mail::DmarcPolicy;
using mail::DmarcResult;
using mail::SpfResult;
using testing::Contains;
using testing::Not;
using testing::StartsWith;

const dkim::PrivateKey& key() {
  static const dkim::PrivateKey kKey = dkim::test_key("rsa");
  return kKey;
}

/// Of the victim all mail that fails is to be rejected; the attacker's own domain is in order. Both
/// have the same key, and other hosts.
std::string zone() {
  return "_dmarc.victim.example TXT \"v=DMARC1; p=reject\"\n"
         "_dmarc.attack.example TXT \"v=DMARC1; p=none\"\n"
         "victim.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
         "mx.victim.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
         "attack.example TXT \"v=spf1 ip4:192.0.2.66 -all\"\n"
         "k._domainkey.victim.example TXT \"" +
         key().dns_record() +
         "\"\n"
         "k._domainkey.attack.example TXT \"" +
         key().dns_record() + "\"\n";
}

/// The client, and the signatures of the message.
struct Sending {
  std::string client;
  std::string helo;
  std::string reverse_path;
  std::string signer;                    ///< "": not signed
  std::vector<std::string> others = {};  ///< who else has signed, above
  bool is_sealed = false;                ///< by hop.example
};

const Sending kAttacker{"192.0.2.66", "attack.example", "<any@attack.example>", "attack.example"};

/// A record within the standard's limits that is beyond ours: ten mx terms of ten hosts each.
std::string vast(const std::string& domain) {
  std::string record = domain + " TXT \"v=spf1";
  std::string hosts;
  for (int term = 0; term < 10; ++term) {
    const std::string name = "m" + std::to_string(term) + "." + domain;
    record += " mx:" + name;
    for (int host = 0; host < 10; ++host) {
      const std::string one = "h" + std::to_string(host) + "." + name;
      hosts += name + " MX 1 " + one + "\n" + one + " A 192.0.2.9\n";
    }
  }
  return record + " -all\"\n" + hosts;
}

class Checked : public testing::Test {
 protected:
  Checked() : resolver_(clock_, zone()) {}

  mail::Authentication verdicts(const std::string& block, const Sending& sending) {
    return support::run_task(io_, check(block, sending)).verdicts;
  }

  /// The verdicts, and how long they were waited for.
  struct Waited {
    std::optional<CheckResult> result;
    std::chrono::milliseconds time{0};
  };

  Waited wait_for(const std::string& block, const Sending& sending) {
    Waited waited;
    base::spawn_supervised(io_.get_executor(), "message",
                           support::keep_result(check(block, sending), waited.result));
    for (; !waited.result && waited.time < 60s; waited.time += 100ms) clock_.run_for(io_, 100ms);
    clock_.run_for(io_, 60s);  // what was not waited for ends as well
    return waited;
  }

  void add_to_zone(const std::string& text) { resolver_.replace_zone(zone() + text); }

  /// Questions so far, as of the resolver.
  std::vector<std::string> asked() const { return resolver_.calls(); }

  CheckOptions options_;

 private:
  /// The signature stands below: above it would have a first line that goes on as its own.
  static std::string signature(const std::string& block, const std::string& signer) {
    if (signer.empty()) return "";
    const std::string message = block + kBody;
    const std::string signed_message = dkim::signed_with(
        message, key(), "v=1; a=rsa-sha256; c=relaxed/simple; d=" + signer + "; s=k; h=From");
    return signed_message.substr(0, signed_message.size() - message.size());
  }

  static std::string as_sent(const std::string& block, const Sending& sending) {
    std::string header = block;
    for (const std::string& other : sending.others) header += signature(block, other);
    header += signature(block, sending.signer);
    if (!sending.is_sealed) return header;
    const std::string sealed = arc::sealed_with(
        header + kBody, "mx.hop.example 1; dmarc=pass header.from=victim.example", {"From"});
    return sealed.substr(0, sealed.size() - std::string_view(kBody).size());
  }

  base::Task<CheckResult> check(std::string block, Sending sending) {
    MessageCheck check(resolver_, clock_, io_.get_executor(),
                       std::make_shared<CheckOptions>(options_),
                       {boost::asio::ip::make_address(sending.client), sending.helo,
                        *mail::parse_reverse_path(sending.reverse_path)});
    dkim::BodyHashes hashes;
    const mail::Header header(as_sent(block, sending));
    check.on_header(header, hashes);
    hashes.update(std::string_view(kBody).substr(2));
    hashes.finish();
    co_return co_await check.finish(hashes);
  }

  static constexpr const char* kBody = "\r\nHello\r\n";

  fakes::FakeClock clock_;
  boost::asio::io_context io_;
  fakes::FakeResolver resolver_;
};

TEST_F(Checked, PassesWhatIsTheVictimsOwn) {
  const Sending own{"192.0.2.1", "mx.victim.example", "<ann@victim.example>", "victim.example"};
  const auto found = verdicts("From: Ann <ann@victim.example>\r\n", own).dmarc;
  EXPECT_EQ(found.result, DmarcResult::Pass);
  EXPECT_TRUE(found.spf_aligned);
  EXPECT_TRUE(found.dkim_aligned);
  EXPECT_EQ(found.from_domain, "victim.example");
}

TEST_F(Checked, PassesWhatTheAttackerSendsInHisOwnName) {
  const auto found =
      verdicts("From: \"admin@victim.example\" <a@attack.example>\r\n", kAttacker).dmarc;
  EXPECT_EQ(found.result, DmarcResult::Pass);
  EXPECT_TRUE(found.spf_aligned);
  EXPECT_TRUE(found.dkim_aligned);
  EXPECT_EQ(found.from_domain, "attack.example");
}

class Spoof : public Checked, public testing::WithParamInterface<const char*> {};

/// If any reader may see the victim as author, DMARC applies the victim's policy or the strictest.
TEST_P(Spoof, EndsInReject) {
  const auto found = verdicts(GetParam(), kAttacker);
  EXPECT_EQ(found.mail_from.result, SpfResult::Pass);
  ASSERT_EQ(found.dkim.size(), 1U);
  EXPECT_EQ(found.dkim.front().result, DkimResult::Pass) << found.dkim.front().problem;
  const mail::DmarcVerdict& dmarc = found.dmarc;
  EXPECT_TRUE(dmarc.result == DmarcResult::Fail || dmarc.result == DmarcResult::PermError)
      << name_of(dmarc.result);
  EXPECT_EQ(dmarc.policy, DmarcPolicy::Reject);
  EXPECT_NE(dmarc.problem, "");
}

INSTANTIATE_TEST_SUITE_P(
    CompositionKills, Spoof,
    testing::Values("From: <admin@victim.example>\r\n", "From: admin@sub.victim.example\r\n",
                    "From: <first@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    " From: <first@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "From: <first@attack.example>\r\nFrom : <admin@victim.example>\r\n",
                    "From\r\n : <first@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "From\r\n : <first@attack.example>\r\nSender: <admin@victim.example>\r\n",
                    "From\r\n : <first@attack.example>\r\nResent-From: <admin@victim.example>\r\n",
                    "From: <first@attack.example>, <admin@victim.example>\r\n",
                    "From: <admin@victim.example>, <first@attack.example>\r\n",
                    "From:=?utf-8?B?PGFkbWluQHZpY3RpbS5leGFtcGxlPg==?=,<second@attack.example>\r\n",
                    "From: <@attack.example,@any.example:admin@victim.example>\r\n",
                    "From: <admin@victim.example>\\,<second@attack.example>\r\n",
                    "From: admin@victim.example,<second@attack.example>\r\n",
                    "From: <any@attack.example>admin@victim.example\r\n",
                    "From: admin@victim.example <any@attack.example>\r\n",
                    "From: admin@victim.example: <any@attack.example>;\r\n",
                    "From: A: admin@victim.example, any@attack.example;\r\n",
                    "From: admin@victim.example(any@attack.example)\r\n",
                    "Sender: <any@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "Resent-From: <any@attack.example>\r\nFrom: <admin@victim.example>\r\n",
                    "Sender: <any@attack.example>\r\n", ""));

/// No policies are looked up for a message whose author cannot be told.
TEST_F(Checked, AsksForNoPolicyInVain) {
  verdicts("From: a@victim.example\r\nFrom: b@victim.example\r\n", kAttacker);
  EXPECT_THAT(asked(), Contains("txt attack.example"));
  EXPECT_THAT(asked(), Not(Contains(StartsWith("txt _dmarc."))));
}

TEST_F(Checked, TakesHeloForTheNullSender) {
  const std::string block = "From: <mailer-daemon@victim.example>\r\n";
  Sending bounce{"192.0.2.1", "mx.victim.example", "<>", ""};
  EXPECT_EQ(verdicts(block, bounce).dmarc.result, DmarcResult::Pass);
  bounce.reverse_path = "<any@attack.example>";
  EXPECT_EQ(verdicts(block, bounce).dmarc.result, DmarcResult::Fail);
}

/// Many hosts say their name with capitals.
TEST_F(Checked, ReadsHeloAsANameWhateverItsSpelling) {
  for (const char* helo : {"MX.Victim.Example", "mx.VICTIM.EXAMPLE", "mx.victim.example."}) {
    const Sending bounce{"192.0.2.1", helo, "<>", ""};
    const auto found = verdicts("From: <mailer-daemon@victim.example>\r\n", bounce).dmarc;
    EXPECT_EQ(found.result, DmarcResult::Pass) << helo << ": " << found.problem;
    EXPECT_TRUE(found.spf_aligned);
  }
}

TEST_F(Checked, WhoIsProvenByHisVeryDomainIsNotPutOffByTheDnsOfItsPolicy) {
  const std::string block = "From: ann@quiet.example\r\n";
  const std::string key_record = "k._domainkey.quiet.example TXT \"" + key().dns_record() + "\"\n";
  add_to_zone("_dmarc.quiet.example NEVER\n" + key_record);
  const Sending by_signature{"192.0.2.7", "mx.quiet.example", "<any@attack.example>",
                             "quiet.example"};
  const auto decided = wait_for(block, by_signature);
  EXPECT_LE(decided.time, 1200ms);
  const mail::DmarcVerdict dmarc = decided.result->verdicts.dmarc;
  EXPECT_EQ(dmarc.result, DmarcResult::TempError);
  EXPECT_TRUE(dmarc.dkim_aligned);

  // Of somebody else's signature nobody knows what it is worth.
  Sending by_other = by_signature;
  by_other.signer = "attack.example";
  const auto open = wait_for(block, by_other);
  EXPECT_GE(open.time, 5s);
  EXPECT_EQ(open.result->verdicts.dmarc.result, DmarcResult::TempError);
  EXPECT_FALSE(open.result->verdicts.dmarc.dkim_aligned);
}

TEST_F(Checked, WhatIsOnlyReportedIsNotWaitedFor) {
  add_to_zone("mute.example NEVER\n192.0.2.1 NEVER\n");
  const Sending sending{"192.0.2.1", "mute.example", "<ann@victim.example>", "victim.example"};
  const auto found = wait_for("From: Ann <ann@victim.example>\r\n", sending);
  EXPECT_LE(found.time, 1200ms);
  const mail::Authentication& verdicts = found.result->verdicts;
  EXPECT_EQ(verdicts.dmarc.result, DmarcResult::Pass);
  EXPECT_EQ(verdicts.helo.result, SpfResult::TempError);
  EXPECT_EQ(verdicts.helo.domain, "mute.example");
  EXPECT_EQ(verdicts.helo.identity, mail::SpfIdentity::Helo);
  EXPECT_EQ(verdicts.iprev.result, mail::IprevResult::TempError);
}

TEST_F(Checked, HeloIsWaitedForWhereItStandsForTheSender) {
  add_to_zone("mute.example NEVER\n");
  const Sending bounce{"192.0.2.1", "mute.example", "<>", ""};
  EXPECT_GE(wait_for("From: <mailer-daemon@victim.example>\r\n", bounce).time, 5s);
}

/// Whether the author's SPF authorises us causes no lookup of its own.
TEST_F(Checked, WhetherWeMaySendIsSeenFromWhatIsKnown) {
  add_to_zone(
      "long.example TXT \"v=spf1 a:one.example mx include:ours.example -all\"\n"
      "one.example A 192.0.2.9\nlong.example MX 1 mx.long.example\nmx.long.example A 192.0.2.8\n"
      "ours.example TXT \"v=spf1 ip4:198.51.100.1 -all\"\n");
  const std::string block = "From: ann@long.example\r\n";
  const Sending late{"192.0.2.77", "attack.example", "<ann@long.example>", ""};
  wait_for(block, late);
  const std::size_t without = asked().size();
  options_.egress = {boost::asio::ip::make_address("198.51.100.1"),
                     boost::asio::ip::make_address("198.51.100.2")};
  auto found = wait_for(block, late);
  EXPECT_EQ(asked().size(), 2 * without);
  EXPECT_EQ(found.result->egress, std::nullopt) << "not the same for both";
  options_.egress.pop_back();
  EXPECT_EQ(wait_for(block, late).result->egress, SpfResult::Pass);

  // The client matches at once, so the rest of the record is not evaluated.
  const Sending early{"192.0.2.9", "attack.example", "<ann@long.example>", ""};
  found = wait_for(block, early);
  EXPECT_EQ(found.result->verdicts.mail_from.result, SpfResult::Pass);
  EXPECT_EQ(found.result->egress, std::nullopt);
}

/// HELO beside a sender is only reported; for the null sender it has the whole share.
TEST_F(Checked, HeloHasTheShareOfTheSenderWhereThereIsNone) {
  add_to_zone(vast("huge.example"));
  const Sending sending{"192.0.2.77", "huge.example", "<ann@victim.example>", ""};
  EXPECT_EQ(wait_for("From: ann@victim.example\r\n", sending).result->verdicts.helo.problem,
            "more than 20 DNS queries");
  Sending bounce = sending;
  bounce.reverse_path = "<>";
  EXPECT_EQ(wait_for("From: ann@victim.example\r\n", bounce).result->verdicts.helo.problem,
            "more than 100 DNS queries");
}

TEST_F(Checked, ARecordThatAsksForTooMuchIsNoReasonToRefuse) {
  add_to_zone("_dmarc.vast.example TXT \"v=DMARC1; p=reject\"\n" + vast("vast.example"));
  const Sending sending{"192.0.2.77", "mx.victim.example", "<ann@vast.example>", ""};
  const auto of_itself = wait_for("From: ann@vast.example\r\n", sending).result->verdicts;
  EXPECT_EQ(of_itself.mail_from.result, SpfResult::PermError);
  EXPECT_TRUE(of_itself.mail_from.unfinished);
  EXPECT_EQ(of_itself.dmarc.result, DmarcResult::Fail);
  EXPECT_EQ(of_itself.dmarc.policy, DmarcPolicy::Reject);
  EXPECT_TRUE(of_itself.dmarc.unfinished);

  // Another author's policy is what it always is: a vast record is not a way around it.
  const auto of_victim = wait_for("From: ann@victim.example\r\n", sending).result->verdicts;
  EXPECT_EQ(of_victim.dmarc.result, DmarcResult::Fail);
  EXPECT_FALSE(of_victim.dmarc.unfinished);
  for (const char* from :
       {"ann@vast.example, ann@victim.example", "ann@victim.example, ann@vast.example"}) {
    const auto of_both = wait_for(std::string("From: ") + from + "\r\n", sending).result->verdicts;
    EXPECT_EQ(of_both.dmarc.policy_domain, "victim.example") << from;
    EXPECT_FALSE(of_both.dmarc.unfinished) << from;
  }
}

/// Lookups that prove the author are made, however many lookups others cause.
TEST_F(Checked, WhatOthersMakeUsAskUsesUpNothingOfTheAuthor) {
  std::string zone =
      vast("vast.example") + vast("mx.huge.example") + arc::key_line(arc::sealing_key());
  Sending sending{"192.0.2.77", "mx.huge.example", "<any@vast.example>", "victim.example"};
  for (int i = 0; i < 20; ++i) {
    sending.others.push_back("s" + std::to_string(i) + ".other.example");
    zone += "k._domainkey." + sending.others.back() + " TXT \"" + key().dns_record() + "\"\n";
  }
  sending.is_sealed = true;
  add_to_zone(zone);
  const auto found = wait_for("From: Ann <ann@victim.example>\r\n", sending).result->verdicts;
  EXPECT_TRUE(found.mail_from.unfinished);
  EXPECT_TRUE(found.helo.unfinished);
  EXPECT_EQ(found.dmarc.result, DmarcResult::Pass);
  EXPECT_TRUE(found.dmarc.dkim_aligned);
  EXPECT_EQ(found.arc.result, mail::ArcResult::Pass);
  const auto all = asked();
  const auto count = [&all](std::string_view part) {
    return std::ranges::count_if(all, [&](const auto& one) { return one.contains(part); });
  };
  EXPECT_EQ(count("txt _dmarc."), 2) << "of the author, and above for its organisation";
  EXPECT_EQ(count("txt k._domainkey.victim.example"), 1);
  EXPECT_EQ(count(".other.example"), 9) << "ten signatures, the author's first";
  EXPECT_EQ(count(".hop.example"), 1);
  EXPECT_EQ(count("vast.example"), 100);
  EXPECT_EQ(count("huge.example"), 20);
  EXPECT_EQ(count("192.0.2.77"), 1);
  EXPECT_EQ(all.size(), 100U + 20 + 2 + 1 + 9 + 1 + 1);
  EXPECT_EQ(all.front(), "txt vast.example") << "MAIL FROM goes first";
}

/// The author's own signature decides, so other lookups under way do not delay the message.
TEST_F(Checked, NobodyElsesDnsDelaysAnAuthorWhoHasSigned) {
  add_to_zone(
      "silent.example NEVER\nmute.example NEVER\nk._domainkey.slow.example NEVER\n"
      "s1._domainkey.hop.example NEVER\n192.0.2.9 NEVER\n");
  const Sending sending{"192.0.2.9",      "mute.example",   "<any@silent.example>",
                        "victim.example", {"slow.example"}, true};
  const auto found = wait_for("From: Ann <ann@victim.example>\r\n", sending);
  EXPECT_LE(found.time, 1200ms);
  const mail::Authentication& verdicts = found.result->verdicts;
  EXPECT_EQ(verdicts.dmarc.result, DmarcResult::Pass);
  EXPECT_TRUE(verdicts.dmarc.dkim_aligned);
  EXPECT_EQ(verdicts.dkim.front().result, DkimResult::TempError);
  EXPECT_EQ(verdicts.arc.result, mail::ArcResult::TempError);
  EXPECT_EQ(verdicts.mail_from.result, SpfResult::TempError);
  EXPECT_EQ(verdicts.mail_from.domain, "silent.example");
  EXPECT_EQ(verdicts.mail_from.problem, "not waited for");
  EXPECT_EQ(found.result->egress, std::nullopt);
  // The same for a signature of the organisation, once the policy says that it counts.
  EXPECT_LE(wait_for("From: Ann <ann@sub.victim.example>\r\n", sending).time, 1200ms);

  // Without the author's signature there is a question that an answer may decide.
  Sending unsigned_one = sending;
  unsigned_one.signer = "attack.example";
  EXPECT_GE(wait_for("From: Ann <ann@victim.example>\r\n", unsigned_one).time, 5s);
}

/// One signature of the author is enough, even if another key cannot be looked up.
TEST_F(Checked, AProvenAuthorIsNotDelayedByHisOtherKey) {
  add_to_zone("k._domainkey.mail.victim.example NEVER\n");
  const Sending sending{"192.0.2.99",
                        "attack.example",
                        "<any@attack.example>",
                        "victim.example",
                        {"mail.victim.example"}};
  const auto found = wait_for("From: Ann <ann@victim.example>\r\n", sending);
  EXPECT_LE(found.time, 1200ms);
  const mail::Authentication& verdicts = found.result->verdicts;
  EXPECT_TRUE(verdicts.dmarc.dkim_aligned);
  ASSERT_EQ(verdicts.dkim.size(), 2U);
  EXPECT_EQ(verdicts.dkim[0].result, DkimResult::TempError);
  EXPECT_EQ(verdicts.dkim[1].result, DkimResult::Pass);

  // Where the other one fails, the answer may decide.
  Sending spoof = sending;
  spoof.signer = "attack.example";
  EXPECT_GE(wait_for("From: Ann <ann@victim.example>\r\n", spoof).time, 5s);
}

TEST_F(Checked, AnotherSignersKeyDelaysNoDecision) {
  add_to_zone("k._domainkey.slow.example NEVER\n");
  const Sending by_spf{"192.0.2.1", "mx.victim.example", "<ann@victim.example>", "slow.example"};
  const auto proven = wait_for("From: Ann <ann@victim.example>\r\n", by_spf);
  EXPECT_LE(proven.time, 1200ms);
  EXPECT_EQ(proven.result->verdicts.dmarc.result, DmarcResult::Pass);
  Sending spoof = by_spf;
  spoof.client = "192.0.2.99";
  const auto refused = wait_for("From: Ann <ann@victim.example>\r\n", spoof);
  EXPECT_LE(refused.time, 1200ms);
  EXPECT_EQ(refused.result->verdicts.dmarc.result, DmarcResult::Fail);
}

/// A sibling may be aligned: only the policy tells.
TEST_F(Checked, TheKeyOfASiblingIsWaitedFor) {
  add_to_zone("k._domainkey.news.victim.example NEVER\n");
  const Sending sending{"192.0.2.99", "attack.example", "<any@attack.example>",
                        "news.victim.example"};
  const auto found = wait_for("From: Ann <ann@shop.victim.example>\r\n", sending);
  EXPECT_GE(found.time, 5s);
  EXPECT_EQ(found.result->verdicts.dmarc.result, DmarcResult::TempError);
}

/// MAIL FROM and HELO of one name are asked about at the same moment.
TEST_F(Checked, WhatIsUnderWayIsNotAskedAgain) {
  const Sending sending{"192.0.2.1", "victim.example", "<ann@victim.example>", "victim.example"};
  EXPECT_EQ(verdicts("From: ann@victim.example\r\n", sending).helo.result, SpfResult::Pass);
  EXPECT_EQ(std::ranges::count(asked(), "txt victim.example"), 1);
}

}  // namespace
}  // namespace relay::auth
