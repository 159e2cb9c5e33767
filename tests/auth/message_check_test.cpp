// Whole messages by someone with a domain, an SPF record and a DKIM key of his own: the spoofs of
// "Composition Kills" against a domain that wants them refused.
#include "relay/auth/message_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/dkim/test_signer.hpp"
#include "tests/dns/turn_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::auth {
namespace {

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

/// Who sends, and whose signature the message has.
struct Sending {
  std::string client;
  std::string helo;
  std::string reverse_path;
  std::string signer;  ///< "": not signed
};

const Sending kAttacker{"192.0.2.66", "attack.example", "<any@attack.example>", "attack.example"};

class Checked : public testing::Test {
 protected:
  Checked() : resolver_(clock_, zone()) {}

  mail::Authentication verdicts(const std::string& block, const Sending& sending) {
    return dns::turn_loop(io_, check(block, sending)).verdicts;
  }

  /// Questions so far, as of the resolver.
  std::vector<std::string> asked() const { return resolver_.calls(); }

 private:
  /// The signature stands below: above it would have a first line that goes on as its own.
  static std::string signature(const std::string& block, const std::string& signer) {
    if (signer.empty()) return "";
    const std::string message = block + kBody;
    const std::string signed_message = dkim::signed_with(
        message, key(), "v=1; a=rsa-sha256; c=relaxed/simple; d=" + signer + "; s=k; h=From");
    return signed_message.substr(0, signed_message.size() - message.size());
  }

  base::Task<CheckResult> check(std::string block, Sending sending) {
    MessageCheck check(resolver_, clock_, io_.get_executor(), std::make_shared<CheckOptions>(),
                       {boost::asio::ip::make_address(sending.client), sending.helo,
                        *mail::parse_reverse_path(sending.reverse_path)});
    dkim::BodyHashes hashes;
    check.on_header(block + signature(block, sending.signer), hashes);
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

/// Whoever reads the victim in it, DMARC has the victim's policy or the strictest for it.
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

}  // namespace
}  // namespace relay::auth
