#include "relay/auth/arc/sealer.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/results/parser.hpp"
#include "tests/auth/arc/checked.hpp"
#include "tests/auth/arc/hops.hpp"
#include "tests/support/golden.hpp"

namespace relay::auth::arc {
namespace {

using mail::ArcResult;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(ArcSealer, MakesASetThatIsAsRecorded) {
  const std::string set = set_for(sealed(plain_message(), 1), sealing_key(), ArcResult::Pass);
  support::expect_golden("tests/auth/arc/data/set.golden", set);
}

TEST(ArcSealer, FoldsItsFields) {
  const std::string set = set_for(plain_message(), sealing_key(), ArcResult::None);
  std::istringstream lines(set);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.ends_with('\r')) << line;
    EXPECT_LE(line.size() - 1 + (line.starts_with('\t') ? 7 : 0), 78U) << line;
  }
  const auto fields = mail::readable_fields(set);
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].name, "ARC-Seal");
  EXPECT_EQ(fields[1].name, "ARC-Message-Signature");
  EXPECT_EQ(fields[2].name, "ARC-Authentication-Results");
}

/// dkimpy finds the instance of a message signature by the octets " i=2;".
TEST(ArcSealer, PutsASpaceBeforeTheInstance) {
  const std::string set = set_for(sealed(plain_message(), 1), sealing_key(), ArcResult::Pass);
  for (const auto& field : mail::readable_fields(set)) {
    EXPECT_THAT(std::string(field.value), HasSubstr(" i=2;")) << field.name;
  }
}

/// RFC 8617 §4.1.1: an Authentication-Results value behind the instance.
TEST(ArcSealer, RepeatsResultsBehindTheInstance) {
  const std::string set = set_for(plain_message(), sealing_key(), ArcResult::None);
  const auto fields = mail::readable_fields(set);
  const std::string value = mail::unfolded(fields.at(2).value);
  ASSERT_TRUE(value.starts_with("i=1; "));
  const auto read = results::parse_results(value.substr(5));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->authserv_id, "mx.hop.example");
  EXPECT_EQ(read->results.front().method, "dmarc");
}

TEST(ArcSealer, SignsDkimSignaturesAndNothingThatMayBeTakenAway) {
  const std::string message =
      "DKIM-Signature: ours\r\nAuthentication-Results: a; none\r\nARC-Seal: i=1\r\n"
      "DKIM-Signature: theirs\r\nFrom: a@b.example\r\nReceived: x\r\n\r\n";
  const auto names = names_to_sign(mail::readable_fields(message));
  EXPECT_EQ(std::ranges::count(names, "DKIM-Signature"), 2);
  for (const char* never : {"ARC-Seal", "Authentication-Results", "Received"}) {
    EXPECT_THAT(names, Not(testing::Contains(never)));
  }
  // Of a thousand fields an attacker put there fifty do.
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "DKIM-Signature: x\r\n";
  EXPECT_EQ(std::ranges::count(names_to_sign(mail::readable_fields(many)), "DKIM-Signature"), 50);
}

/// Still forwarded, and said once.
TEST(ArcSealer, SealsABrokenChainOnce) {
  const std::string zone = key_line(sealing_key());
  const std::string broken = replaced(sealed(plain_message(), 2), "an invoice", "a bill");
  ASSERT_EQ(checked(broken, zone).result, ArcResult::Fail);
  const std::string set = set_for(broken, sealing_key(), ArcResult::Fail);
  EXPECT_THAT(set, HasSubstr("cv=fail;"));
  EXPECT_THAT(set, HasSubstr("i=3;"));
  const std::string marked = set + broken;
  const auto verdict = checked(marked, zone);
  EXPECT_EQ(verdict.result, ArcResult::Fail);
  EXPECT_EQ(verdict.problem, "instance 3: cv=fail");
  EXPECT_EQ(set_for(marked, sealing_key(), verdict.result), "");
}

/// §5.1.2: the seal of a failed chain verifies as if its set were the only one.
TEST(ArcSealer, CoversOnlyItsOwnSetWhenTheChainHasFailed) {
  const std::string broken = replaced(sealed(plain_message(), 2), "an invoice", "a bill");
  const std::string set = set_for(broken, sealing_key(), ArcResult::Fail);
  auto other = fields_of(broken);
  other.erase(other.begin() + 5);  // breaks the chain by its form as well
  const std::string other_set = set_for(joined(other, broken), sealing_key(), ArcResult::Fail);
  EXPECT_EQ(set, other_set);
}

TEST(ArcSealer, CountsOnBehindAChainWithGaps) {
  auto fields = fields_of(sealed(plain_message(), 3));
  fields.erase(fields.begin() + 3, fields.begin() + 6);
  const std::string gap = joined(fields, plain_message());
  EXPECT_THAT(set_for(gap, sealing_key(), ArcResult::Fail), HasSubstr("i=4;"));
}

TEST(ArcSealer, LeavesMailAloneThatItMustNotSeal) {
  const std::string one = sealed(plain_message(), 1);
  EXPECT_EQ(set_for(one, sealing_key(), ArcResult::TempError), "");
  EXPECT_EQ(set_for(one, sealing_key(), ArcResult::None), "");              // verdict of another
  EXPECT_EQ(set_for(plain_message(), sealing_key(), ArcResult::Pass), "");  // message
  EXPECT_EQ(set_for(plain_message(), sealing_key(), ArcResult::Fail), "");
  const std::string broken = "ARC-Seal: junk\r\n" + one;
  EXPECT_EQ(set_for(broken, sealing_key(), ArcResult::Pass), "");
  const std::string fifty = sealed(plain_message(), kMaxInstances);
  EXPECT_EQ(set_for(fifty, sealing_key(), ArcResult::Pass), "");
  EXPECT_EQ(set_for(fifty, sealing_key(), ArcResult::Fail), "");
  const std::string absurd = "ARC-Seal: i=51; cv=pass\r\n" + one;
  EXPECT_EQ(set_for(absurd, sealing_key(), ArcResult::Fail), "");
}

}  // namespace
}  // namespace relay::auth::arc
