// Messages with a chain through the whole check: for whom does the sealer vouch?
#include <gtest/gtest.h>

#include "relay/auth/message_check.hpp"
#include "tests/auth/arc/hops.hpp"
#include "tests/dns/turn_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::auth {
namespace {

class SealedMessage : public testing::Test {
 protected:
  CheckResult checked(const std::string& message) { return dns::turn_loop(io_, check(message)); }

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

/// Whether the chain holds cannot be known now; what it says can.
TEST_F(SealedMessage, IsVouchedForWhileTheKeyOfItsSealerCannotBeLookedUp) {
  use_zone(
      "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\ns1._domainkey.hop.example SERVFAIL\n");
  const auto found = checked(arc::sealed_with(arc::plain_message(), kResults));
  EXPECT_EQ(found.verdicts.arc.result, mail::ArcResult::TempError);
  EXPECT_EQ(found.verdicts.arc.last_sealer, "hop.example");
  EXPECT_EQ(found.verdicts.dmarc.result, mail::DmarcResult::Fail);
  EXPECT_TRUE(found.sealer_saw_pass);
}

/// Whoever may let a trusted service rewrite From must not get past the policy of others.
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
