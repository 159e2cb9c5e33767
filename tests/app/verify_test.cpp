// `verify` says what a session would say before a message is judged, and reads content as one does.
#include "relay/app/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/app/offline_content.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::string_literals;

class Verify : public testing::Test {
 protected:
  Verify() {
    settings_->hostname = "mx.house.example";
    settings_->auth.authserv_id = "mx.house.example";
    forward::HostedDomain hosted{
        .name = *mail::Domain::parse("house.example"),
        .aliases = {{.local_part = "info", .targets = {*mail::Mailbox::parse("a@b.example")}}},
        .patterns = {},
        .map_to = {}};
    hosted.aliases.push_back(hosted.aliases.front());
    hosted.aliases.back().local_part = "small";
    hosted.aliases.back().max_size = 1000;
    settings_->domains.push_back(hosted);
    settings_->srs.domain = *mail::Domain::parse("srs.house.example");
    settings_->srs.secrets.push_back(
        {.id = "k", .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")});
    policies_ = *make_policies(settings_);
    lookups_ = *OfflineLookups::open(*settings_, "nothing.example. 60 IN A 192.0.2.1\n");
  }

  Verification verify(const std::string& sender,
                      const std::string& content = "From: a@b.example\r\n\r\nx\r\n",
                      const std::string& recipient = "info@house.example") {
    return verify_message(policies_, *lookups_,
                          {.content = content,
                           .client = boost::asio::ip::make_address("192.0.2.7"),
                           .helo = "c.example",
                           .sender = *mail::parse_reverse_path('<' + sender + '>'),
                           .recipient = *mail::parse_forward_path('<' + recipient + '>')});
  }

  std::string reply(const Verification& found) {
    return found.refusal ? std::to_string(found.refusal->code()) + ' ' + found.refusal->text() : "";
  }

  /// The address that a copy of this sender's mail leaves under.
  std::string srs_address(const std::string& sender) {
    return policies_.inbound->planner->directory()
        .senders()
        .rewrite(*mail::Mailbox::parse(sender), {mail::MessageId(), std::string("192.0.2.7"), false,
                                                 false, lookups_->clock().wall()})
        .reverse_path.to_string();
  }

  std::shared_ptr<settings::Settings> settings_ = std::make_shared<settings::Settings>();
  Policies policies_;
  std::unique_ptr<OfflineLookups> lookups_;
};

TEST_F(Verify, HandlesASenderInOurSrsDomainAsTheSessionDoes) {
  const Verification made_up = verify("anything@srs.house.example");
  EXPECT_EQ(reply(made_up), "550 The sender is an address of this host");
  EXPECT_THAT(made_up.decisions, IsEmpty());
  const Verification live = verify(srs_address("Ann@sender.example"));
  EXPECT_EQ(reply(live), "");
  EXPECT_EQ(live.sender.to_string(), "Ann@sender.example");
  EXPECT_EQ(live.evidence.sender, live.sender);
  EXPECT_THAT(live.results, HasSubstr("smtp.mailfrom=srs.house.example"))
      << "SPF was asked for MAIL FROM";
  EXPECT_THAT(to_text(live), HasSubstr("\nfrom <Ann@sender.example>\n"));
  const Verification token = verify(srs_address(std::string(60, 'a') + "@long.sender.example"));
  EXPECT_EQ(reply(token), "");
  EXPECT_THAT(token.notes, ElementsAre(HasSubstr("only the running relay can look up")));
}

TEST_F(Verify, SaysWhatIsWrongWithTheContent) {
  const std::string header = "From: a@b.example\r\n";
  EXPECT_EQ(reply(verify("a@b.example", header + "\r\na\0b\r\n"s)), "550 NUL is not allowed");
  EXPECT_EQ(reply(verify("a@b.example", header + "\r\na\nb\r\n")),
            "550 CR or LF without the other is not allowed");
  std::string huge = header;
  while (huge.size() < 300UL * 1024) huge += "X-Pad: " + std::string(900, 'x') + "\r\n";
  EXPECT_THAT(reply(verify("a@b.example", huge + "\r\nx\r\n")), HasSubstr("552 Header too large"));
  const std::string long_one = header + "\r\n" + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(reply(verify("a@b.example", long_one)), "");
  EXPECT_EQ(reply(verify("a@b.example", long_one, "small@house.example")),
            "550 This address takes no message of that size");
}

/// Dots are doubled and taken away again; a last line without an end gets one.
TEST_F(Verify, ReadsContentAsASessionDoes) {
  const inbound::Policy& policy = *policies_.inbound;
  for (const std::string content :
       {"From: a@b.example\r\n\r\n.\r\n..x\r\n.x\r\nlast", "From: a@b.example\r\n\r\n", "x", ""}) {
    auth::MessageCheck check(lookups_->resolver(), lookups_->clock(), lookups_->executor(),
                             policy.check, {boost::asio::ip::make_address("192.0.2.7"), "c", {}});
    OfflineContent read(*lookups_, policy, mail::MessageId(), check);
    EXPECT_FALSE(read.take(content));
    const bool is_whole = content.empty() || content.ends_with("\r\n");
    const std::string whole = is_whole ? content : content + "\r\n";
    EXPECT_EQ(read.intake().size(), whole.size());
    inbound::ContentReader direct({}, {});
    direct.take(whole);
    direct.end();
    EXPECT_EQ(read.intake().reader().body_hash(), direct.body_hash()) << content;
  }
}

TEST_F(Verify, LeavesOutWhatClaimsToBeOurs) {
  const std::string forged = "Authentication-Results: mx.house.example; spf=pass\r\n";
  const inbound::Policy& policy = *policies_.inbound;
  auth::MessageCheck check(lookups_->resolver(), lookups_->clock(), lookups_->executor(),
                           policy.check, {boost::asio::ip::make_address("192.0.2.7"), "c", {}});
  OfflineContent read(*lookups_, policy, mail::MessageId(), check);
  const std::string rest = "From: a@b.example\r\n\r\nx\r\n";
  EXPECT_FALSE(read.take(forged + rest));
  EXPECT_EQ(read.intake().size(), rest.size()) << "as the limits of sizes count it";
}

}  // namespace
}  // namespace relay::app
