// Messages with a chain through the whole check: for whom does the sealer vouch?
#include <chrono>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "relay/auth/message_check.hpp"
#include "tests/auth/arc/hops.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth {
namespace {

using namespace std::chrono_literals;

class SealedMessage : public testing::Test {
 protected:
  CheckResult checked(const std::string& message) { return support::run_task(io_, check(message)); }

  /// The same, and how long it was waited for.
  std::pair<CheckResult, std::chrono::milliseconds> waited_for(const std::string& message) {
    std::optional<CheckResult> result;
    std::chrono::milliseconds time{0};
    base::spawn_supervised(io_.get_executor(), "message",
                           support::keep_result(check(message), result));
    for (; !result && time < 60s; time += 100ms) clock_.run_for(io_, 100ms);
    clock_.run_for(io_, 60s);  // what was not waited for ends as well
    return {result.value(), time};
  }

  void use_zone(const std::string& text) { resolver_.replace_zone(text); }

  /// From a list that broke the signature and wrote this author.
  static std::string by(const std::string& author) {
    return arc::replaced(arc::plain_message(), "Ann <ann@sender.example>", author);
  }

 private:
  base::Task<CheckResult> check(std::string message) {
    MessageCheck check(resolver_, clock_, io_.get_executor(), std::make_shared<CheckOptions>(),
                       {boost::asio::ip::make_address("192.0.2.66"), "lists.example",
                        *mail::parse_reverse_path("<list@lists.example>")});
    const std::size_t header = *mail::header_length(message);
    dkim::BodyHashes hashes;
    const mail::Header read(message.substr(0, header));
    check.on_header(read, hashes);
    hashes.update(std::string_view(message).substr(header + 2));
    hashes.finish();
    co_return co_await check.finish(hashes);
  }

  fakes::FakeClock clock_;
  boost::asio::io_context io_;
  fakes::FakeResolver resolver_{clock_,
                                "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n"
                                "_dmarc.victim.example TXT \"v=DMARC1; p=reject\"\n" +
                                    arc::key_line(arc::sealing_key())};
};

const std::string kResults =
    "mx.hop.example 1; dmarc=pass action=none header.from=sender.example; arc=none";

TEST_F(SealedMessage, IsVouchedForByItsSealer) {
  const auto found = checked(arc::sealed_with(arc::plain_message(), kResults));
  EXPECT_EQ(found.verdicts.arc.result, mail::ArcResult::Pass);
  EXPECT_EQ(found.verdicts.dmarc.result, mail::DmarcResult::Fail);
  EXPECT_TRUE(found.sealer_saw_pass);
}

/// Whether the chain holds is unknown for now; its content can be read.
TEST_F(SealedMessage, IsVouchedForWhileTheKeyOfItsSealerCannotBeLookedUp) {
  use_zone(
      "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\ns1._domainkey.hop.example SERVFAIL\n");
  const auto found = checked(arc::sealed_with(arc::plain_message(), kResults));
  EXPECT_EQ(found.verdicts.arc.result, mail::ArcResult::TempError);
  EXPECT_EQ(found.verdicts.arc.last_sealer, "hop.example");
  EXPECT_EQ(found.verdicts.dmarc.result, mail::DmarcResult::Fail);
  EXPECT_TRUE(found.sealer_saw_pass);
}

/// That only tells how far back the message is unchanged, which decides nothing.
TEST_F(SealedMessage, DoesNotWaitForTheKeyOfAnOlderMessageSignature) {
  const std::string first = arc::sealed(arc::plain_message(), 1);
  auto fields = arc::fields_of(first);
  fields.at(1) = arc::replaced(fields.at(1), "s=s1", "s=old");
  const std::string message =
      arc::sealed(arc::signed_again(arc::joined(fields, first), arc::sealing_key()), 1);
  const std::string policy = "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n";
  use_zone(policy + "old._domainkey.hop.example NEVER\n" + arc::key_line(arc::sealing_key()));
  const auto [found, time] = waited_for(message);
  EXPECT_LE(time, 1200ms);
  EXPECT_EQ(found.verdicts.arc.result, mail::ArcResult::Pass) << found.verdicts.arc.problem;
  EXPECT_EQ(found.verdicts.arc.oldest_pass, 2U);
  use_zone(policy + arc::key_line(arc::sealing_key()) +
           arc::key_line(arc::sealing_key("hop.example", "old")));
  EXPECT_EQ(checked(message).verdicts.arc.oldest_pass, 0U);
  use_zone(policy + "s1._domainkey.hop.example NEVER\n");
  EXPECT_GE(waited_for(message).second, 5s) << "of a chain that decides it is waited for";
}

/// A sender who can make a trusted service rewrite From must not evade the policy of other domains.
TEST_F(SealedMessage, IsNotVouchedForInAnotherName) {
  for (const char* author : {"Ann <ann@victim.example>", "Ann <ann@sub.sender.example>",
                             "Ann <ann@sender.example>, Eve <eve@victim.example>",
                             "ann@sender.example <eve@victim.example>",
                             "Ann <ann@sender.example>\r\nFrom: <e@x.example>", "nobody"}) {
    const auto found = checked(arc::sealed_with(by(author), kResults));
    EXPECT_EQ(found.verdicts.arc.result, mail::ArcResult::Pass);
    EXPECT_FALSE(found.sealer_saw_pass) << author;
  }
}

TEST_F(SealedMessage, IsNotVouchedForByAnUnsignedFromOrABrokenChain) {
  const auto unsigned_author =
      checked(arc::sealed_with(arc::plain_message(), kResults, {"To", "Subject"}));
  EXPECT_EQ(unsigned_author.verdicts.arc.result, mail::ArcResult::Pass);
  EXPECT_FALSE(unsigned_author.sealer_saw_pass);
  const std::string sealed = arc::sealed_with(arc::plain_message(), kResults);
  const auto broken = checked(arc::replaced(sealed, "at once", "later"));
  EXPECT_EQ(broken.verdicts.arc.result, mail::ArcResult::Fail);
  EXPECT_FALSE(broken.sealer_saw_pass);
}

}  // namespace
}  // namespace relay::auth
