#include "relay/auth/results/believed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth::results {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kId = "gw.example";

std::string field(const std::string& results) {
  return "Authentication-Results: " + results + "\r\n";
}

Believed believed(const std::string& block, std::size_t fields = 100) {
  const mail::Header header(block);
  return believed_results(header, fields, kId);
}

TEST(BelievedResults, AreThoseOfTheGateway) {
  const Believed found =
      believed(field("GW.example; spf=pass smtp.mailfrom=ann@Sender.example;\r\n"
                     "\tspf=softfail smtp.helo=mail.example;\r\n"
                     "\tdmarc=pass (p=reject) header.from=author.example"));
  ASSERT_TRUE(found.mail_from && found.helo);
  EXPECT_EQ(found.mail_from->result, mail::SpfResult::Pass);
  EXPECT_EQ(found.mail_from->domain, "sender.example");
  EXPECT_EQ(found.helo->result, mail::SpfResult::SoftFail);
  EXPECT_THAT(found.passed, ElementsAre("author.example"));
}

TEST(BelievedResults, AreNotThoseOfOthersNorFurtherDown) {
  const std::string pass =
      "; dmarc=pass header.from=author.example; spf=pass smtp.mailfrom=a.example";
  for (const char* id : {"other.example", "gw.example.evil.example", "x.gw.example", ""}) {
    EXPECT_THAT(believed(field(id + pass)).passed, IsEmpty()) << id;
  }
  const std::string block = "Received: x\r\n" + field(std::string(kId) + pass);
  EXPECT_THAT(believed(block, 1).passed, IsEmpty());
  EXPECT_THAT(believed(block, 2).passed, ElementsAre("author.example"));
}

TEST(BelievedResults, MustNotContradictEachOther) {
  const std::string id(kId);
  EXPECT_THAT(believed(field(id + "; dmarc=fail header.from=author.example") +
                       field(id + "; dmarc=pass header.from=author.example"))
                  .passed,
              IsEmpty());
  EXPECT_THAT(
      believed(field(id + "; dmarc=pass header.from=a.example header.from=b.example")).passed,
      IsEmpty());
  const Believed spf = believed(field(id + "; spf=fail smtp.mailfrom=a.example") +
                                field(id + "; spf=pass smtp.mailfrom=a.example"));
  EXPECT_EQ(spf.mail_from->result, mail::SpfResult::Fail) << "the topmost counts";
  EXPECT_FALSE(believed(field(id + "; spf=great smtp.mailfrom=a.example")).mail_from);
  EXPECT_FALSE(believed(field(id + "; spf=pass")).mail_from);
}

}  // namespace
}  // namespace relay::auth::results
