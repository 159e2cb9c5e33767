// Addresses as the log shows them (guarantee "A redacted log has no local part").
#include "relay/app/redaction.hpp"

#include <gtest/gtest.h>

#include "relay/base/log.hpp"
#include "relay/settings/log.hpp"

namespace relay::app {
namespace {

const Redaction kLocalPart(settings::LogRedact::LocalPart, nullptr);
const Redaction kHash(settings::LogRedact::Hash,
                      [](const std::string& address) { return std::to_string(address.size()); });

TEST(Redaction, EveryAddressOfALineIsRedacted) {
  const std::string line =
      R"({"mail_from":"Ann.B+x@Sender.example","rcpt":"a@b.example, c@d.example",)"
      R"("smtp":{"text":"<ann.b@sender.example>: user (ann@x.example) unknown"}})";
  EXPECT_EQ(kLocalPart.redacted(line),
            R"({"mail_from":"…@Sender.example","rcpt":"…@b.example, …@d.example",)"
            R"("smtp":{"text":"<…@sender.example>: user (…@x.example) unknown"}})");
  EXPECT_EQ(kHash.redacted(line), R"({"mail_from":"#22","rcpt":"#11, #11",)"
                                  R"("smtp":{"text":"<#20>: user (#13) unknown"}})");
  EXPECT_EQ(Redaction().redacted(line), line);
}

TEST(Redaction, AnSrsAddressGivesAwayNothing) {
  const std::string line = R"({"x":"SRS0=abcdefgh=74=sender.example=ann@srs.example.org"})";
  EXPECT_EQ(kLocalPart.redacted(line), R"({"x":"…@srs.example.org"})");
}

TEST(Redaction, QuotedUtf8AndLiteralAddressesToo) {
  base::Event event("x", base::WallTime{});
  event.text("a", R"("Ann B"@sender.example)").text("b", "jürgen@müller.example");
  event.text("c", "root@[192.0.2.1]").text("d", R"("a\"b c"@x.example)");
  const std::string line = kLocalPart.redacted(std::move(event).line());
  EXPECT_TRUE(line.ends_with(R"("d":"…@x.example"})")) << line;
  for (const char* secret : {"Ann", "jürgen", "root"}) {
    EXPECT_EQ(line.find(secret), std::string::npos) << line;
  }
  EXPECT_NE(line.find("…@müller.example"), std::string::npos) << line;
  EXPECT_NE(line.find("…@[192.0.2.1]"), std::string::npos) << line;
}

/// Of the configuration, whose keys are no addresses.
TEST(Redaction, QuotedKeysBeforeTheirDomainToo) {
  base::Event event("x", base::WallTime{});
  event.text("a", R"(alias "ann smith"@b.example never)");
  event.text("b", R"(alias "ann@c.example"@b.example never)");
  const std::string line = kLocalPart.redacted(std::move(event).line());
  EXPECT_NE(line.find(R"("a":"alias …@b.example never")"), std::string::npos) << line;
  EXPECT_NE(line.find("…@c.example"), std::string::npos) << line;
  EXPECT_EQ(line.find("ann"), std::string::npos) << line;
}

/// Long texts are cut before they are redacted.
TEST(Redaction, ALocalPartThatWasCutOffItsDomainIsLeftOut) {
  for (std::size_t length = 480; length < 520; ++length) {
    base::Event event("x", base::WallTime{});
    event.text("rcpt", std::string(length, 'x') + ", quagga.name@sender.example, quagga@b.example");
    const std::string line = std::move(event).line();
    for (const char* secret : {"q", "name"}) {
      EXPECT_EQ(kLocalPart.redacted(line).find(secret), std::string::npos) << line;
    }
  }
  EXPECT_EQ(kLocalPart.redacted(R"({"a":"ann@b.example, c@d.exam…","b":"exact jo…"})"),
            R"({"a":"…@b.example, …@d.exam…","b":"exact …"})");
}

TEST(Redaction, TheMessageIdIsKeptAndWhatIsNoAddress) {
  const std::string line =
      R"({"message_id":"<1234@sender.example>","at":"@","b":"a @ b","c":"x@"})";
  EXPECT_EQ(kLocalPart.redacted(line), line);
}

TEST(Redaction, TheSameAddressHasTheSameDigestInAnySpelling) {
  const Redaction redaction(settings::LogRedact::Hash,
                            [](const std::string& address) { return address; });
  EXPECT_EQ(redaction.redacted(R"({"a":"Ann@X.example"})"),
            redaction.redacted(R"({"a":"ann@x.EXAMPLE"})"));
}

}  // namespace
}  // namespace relay::app
