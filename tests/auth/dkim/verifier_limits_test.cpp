// The cost of a message with many signatures: lookups, time, and order.
#include <algorithm>
#include <ctime>

#include "relay/auth/dkim/verifier.hpp"
#include "tests/auth/dkim/verifier_fixture.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::auth::dkim {
namespace {

using mail::DkimResult;
using mail::DkimVerdict;
using testing::SizeIs;

using VerifierLimits = Verifier;

TEST_F(VerifierLimits, VerifiesTenOfAThousandSignatures) {
  std::string message = signed_with(kMessage, rsa_, kTags);
  for (int i = 0; i < 999; ++i) {
    message = "DKIM-Signature: v=1; a=rsa-sha256; d=d" + std::to_string(i) +
              ".example; s=r; h=From; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=Zm9v\r\n" +
              message;
  }
  const auto verdicts = judged(message, dns_);
  EXPECT_THAT(verdicts, SizeIs(1000));
  EXPECT_THAT(dns_.asked(), SizeIs(kMaxVerified));
  EXPECT_EQ(verdicts.back().result, DkimResult::Pass) << "the author's";
  const auto limited = std::ranges::count(verdicts, "limit", &DkimVerdict::problem);
  EXPECT_EQ(limited, 990);
}

TEST_F(VerifierLimits, VerifiesTheAuthorsSignatureFirst) {
  std::string message = signed_with(kMessage, rsa_, kTags);
  for (int i = 0; i < 50; ++i) {
    message = "DKIM-Signature: v=1; a=rsa-sha256; d=d" + std::to_string(i) +
              ".example; s=r; h=From; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=Zm9v\r\n" +
              message;
  }
  const auto verdicts = judged(message, dns_);
  ASSERT_THAT(verdicts, SizeIs(51));
  EXPECT_EQ(verdicts.back().result, DkimResult::Pass) << verdicts.back().problem;
  EXPECT_EQ(dns_.asked().front(), "r._domainkey.x.example");
  EXPECT_THAT(dns_.asked(), SizeIs(kMaxVerified));
  for (std::size_t i = 0; i < verdicts.size() - 1; ++i) {
    const bool verified = i < kMaxVerified - 1;
    EXPECT_EQ(verdicts[i].result, verified ? DkimResult::PermError : DkimResult::Policy) << i;
  }
}

/// DMARC asks for every author of From; ten signatures on top must not hide theirs.
TEST_F(VerifierLimits, VerifiesTheSignaturesOfAllAuthorsFirst) {
  for (const std::string authors :
       {"Ann <ann@x.example>, Bob <bob@x.example>", "Eve <eve@a.example>, Ann <ann@x.example>",
        "Two: ann@x.example, eve@a.example;", "Ann <ann@mail.x.example>, Bob <bob@b.example>"}) {
    const std::string plain = changed(kMessage, "Ann <ann@x.example>", authors);
    std::string message = signed_with(plain, rsa_, kTags);
    for (int i = 0; i < 10; ++i) {
      message = "DKIM-Signature: v=1; a=rsa-sha256; d=d" + std::to_string(i) +
                ".example; s=r; h=From; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; "
                "b=Zm9v\r\n" +
                message;
    }
    const auto verdicts = judged(message, dns_);
    ASSERT_THAT(verdicts, SizeIs(11));
    EXPECT_EQ(verdicts.back().result, DkimResult::Pass) << authors << verdicts.back().problem;
  }
}

TEST_F(VerifierLimits, AsksOnceForAKeyOfSeveralSignatures) {
  std::string message = signed_with(kMessage, rsa_, kTags);
  message = signed_with(message, rsa_, tags_with("h", "From:DKIM-Signature"));
  message = signed_with(message, ed25519_,
                        "v=1; a=ed25519-sha256; d=x.example; s=e; h=From:DKIM-Signature");
  const auto verdicts = judged(message, dns_);
  ASSERT_THAT(verdicts, SizeIs(3));
  for (const auto& verdict : verdicts) EXPECT_EQ(verdict.result, DkimResult::Pass);
  EXPECT_EQ(verdicts[0].algorithm, "ed25519-sha256") << "topmost first";
  EXPECT_THAT(dns_.asked(), SizeIs(2));
}

/// A name that never answers does not delay other lookups.
TEST_F(VerifierLimits, AllKeysCanBeLookedUpAtATime) {
  std::string message = signed_with(kMessage, rsa_, kTags);
  message = signed_with(message, rsa_, tags_with("s", "slow"));
  fakes::FakeClock clock;
  fakes::FakeResolver dns(clock, "r._domainkey.x.example TXT \"" + rsa_.dns_record() + "\"\n" +
                                     "slow._domainkey.x.example NEVER\n");
  BodyHashes hashes;
  Verification verification(mail::Header(message), hashes);
  boost::asio::io_context io;
  int ended = 0;
  const base::Deadline deadline{clock.steady() + std::chrono::seconds(5)};
  ASSERT_EQ(verification.lookups(), 2U);
  for (std::size_t i = 0; i < verification.lookups(); ++i) {
    boost::asio::co_spawn(io.get_executor(), verification.fetch_key(i, dns, deadline),
                          [&](std::exception_ptr) { ++ended; });
  }
  io.poll();
  EXPECT_THAT(dns.calls(), SizeIs(2));
  EXPECT_EQ(ended, 1);
  clock.run_for(io, std::chrono::seconds(6));
  EXPECT_EQ(ended, 2);
  hashes.update(body_of(message));
  hashes.finish();
  const auto verdicts = verification.finish(hashes, at_unix(kTestNow));
  EXPECT_EQ(verdicts.at(0).result, DkimResult::TempError);
  EXPECT_EQ(verdicts.at(1).result, DkimResult::Pass);
}

/// Four times the size, no more than some four times the time: many signatures that sign many names
/// of a large header.
TEST_F(VerifierLimits, TakesLinearTimeForLargeHeaders) {
  const auto cost_of = [](int fields) {
    std::string header = "From: ann@x.example\r\n";
    std::string names = "From";
    for (int i = 0; i < fields; ++i) {
      header += "X" + std::to_string(i) + ": x\r\n";
      names += ":X" + std::to_string(i);
    }
    for (int i = 0; i < 10; ++i) {
      header = "DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=r; h=" + names +
               "; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=Zm9v\r\n" + header;
    }
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      const std::clock_t begin = std::clock();  // of this process, whatever else the machine does
      BodyHashes hashes;
      const Verification verification(mail::Header(header), hashes);
      EXPECT_EQ(verification.lookups(), 1U);
      best = std::min(best, static_cast<double>(std::clock() - begin));
    }
    return best;
  };
  EXPECT_LT(cost_of(8'000), 8 * cost_of(2'000));
}

}  // namespace
}  // namespace relay::auth::dkim
