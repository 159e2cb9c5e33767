#include "relay/inbound/intake.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/mail/header.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

struct Result {
  std::string header;
  std::string body_hash;
  std::string content_hash;
};

Result take(const std::vector<std::string>& pieces) {
  RecordingSpool spool;
  ByteBudget budget(1 << 20);
  Intake intake(spool, budget, {});
  for (const std::string& piece : pieces) intake.take(piece);
  EXPECT_FALSE(intake.fault().has_value());
  return {intake.header_block(), intake.finish_body_hash(), intake.finish_content_sha256()};
}

struct HeaderCase {
  const char* name;
  std::string content;
  std::string header;
};

class IntakeHeader : public testing::TestWithParam<HeaderCase> {};

// The header ends at the same octet, and the body hash is the same, for every division.
TEST_P(IntakeHeader, IsFoundForEveryDivision) {
  const std::string& content = GetParam().content;
  const Result whole = take({content});
  EXPECT_EQ(whole.header, GetParam().header);
  for (std::size_t cut = 1; cut < content.size(); ++cut) {
    // The reader never cuts inside CRLF.
    if (content[cut - 1] == '\r') continue;
    const Result parts = take({content.substr(0, cut), content.substr(cut)});
    ASSERT_EQ(parts.header, whole.header) << cut;
    ASSERT_EQ(parts.body_hash, whole.body_hash) << cut;
    ASSERT_EQ(parts.content_hash, whole.content_hash) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Contents, IntakeHeader,
    testing::Values(HeaderCase{"Plain", "A: b\r\nC: d\r\n\r\nbody\r\n", "A: b\r\nC: d\r\n"},
                    HeaderCase{"NoBody", "A: b\r\n\r\n", "A: b\r\n"},
                    HeaderCase{"NoEmptyLine", "A: b\r\nC: d\r\n", "A: b\r\nC: d\r\n"},
                    HeaderCase{"NoFields", "\r\nbody\r\n\r\nmore\r\n", ""},
                    HeaderCase{"EmptyLines", "A: b\r\n\r\n\r\n\r\nbody\r\n", "A: b\r\n"},
                    HeaderCase{"Empty", "", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Intake, HoldsNoMoreThanOneHeaderAndOneChunk) {  // X-3, S-13
  RecordingSpool spool;
  ByteBudget budget(1 << 20);
  {
    Intake intake(spool, budget, {});
    const std::string piece(16 * 1024, 'h');
    for (int i = 0; i < 100 && !intake.fault(); ++i) intake.take(piece);
    ASSERT_TRUE(intake.fault().has_value());
    EXPECT_EQ(intake.fault()->code(), 552);
    EXPECT_LE(intake.size(), mail::kMaxHeaderOctets + 2 * piece.size());
  }
  EXPECT_EQ(budget.left(), 1 << 20);
}

TEST(ByteBudget, TakesAllOrNothing) {
  ByteBudget budget(100);
  ByteShare share(budget);
  EXPECT_TRUE(share.grow_to(60));
  EXPECT_TRUE(share.grow_to(50));  // held already
  {
    ByteShare other(budget);
    EXPECT_FALSE(other.grow_to(41));
    EXPECT_TRUE(other.grow_to(40));
  }
  EXPECT_EQ(budget.left(), 40);
}

}  // namespace
}  // namespace relay::inbound
