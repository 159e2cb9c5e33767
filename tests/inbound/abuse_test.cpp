// Whether a client is welcome, as it hears it: DNS lists, greylisting, rates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/message_rates.hpp"
#include "tests/inbound/house.hpp"
#include "tests/inbound/srs_addresses.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kZone =
    "7.2.0.192.bl.example A 127.0.0.2\n"
    "1.100.51.198.wl.example A 127.0.5.1\n"
    "2.100.51.198.bl.example A 127.0.0.2\n"
    "2.100.51.198.wl.example A 127.0.5.1\n";

class Abuse : public testing::Test {
 protected:
  Abuse() { house.resolver.replace_zone(kZone); }

  void use(const AbusePolicy& abuse) {
    auto policy = std::make_shared<Policy>(*house.policy.get());
    policy->abuse = abuse;
    house.policy.publish(std::move(policy));
  }

  static AbusePolicy lists(DnsListStage at = DnsListStage::Recipient) {
    auto policy = std::make_shared<DnsListPolicy>();
    policy->lists = {{.zone = "bl.example", .weight = 10},
                     {.zone = "wl.example", .allows = true, .weight = 5}};
    policy->refuse_at = 10;
    policy->at = at;
    return {.dns_lists = policy};
  }

  static AbusePolicy greylisting() {
    AbusePolicy policy;
    policy.greylist.enabled = true;
    policy.greylist.rules = {
        .delay = 300s, .retry_window = 48h, .remember = 36 * 24h, .trusted_after = 2};
    return policy;
  }

  /// What a client hears to its RCPT, and of the message.
  std::string send(const std::string& recipient, const std::string& peer = "203.0.113.5",
                   const std::string& sender = "ann@sender.example") {
    const auto wire = house.dial(
        {"EHLO c.example\r\n", "MAIL FROM:<" + sender + ">\r\n", "RCPT TO:<" + recipient + ">\r\n",
         "DATA\r\n", "Subject: x\r\n\r\nx\r\n.\r\n", "QUIT\r\n"},
        peer);
    house.poll();
    return wire->sent;
  }

  AbuseControl::Totals totals() { return house.abuse.totals(); }

  House house;
};

TEST_F(Abuse, AListedClientIsRefusedAtRcpt) {
  use(lists());
  EXPECT_THAT(send("info@example.org", "192.0.2.7"),
              HasSubstr("550 5.7.1 192.0.2.7 is listed by bl.example\r\n"));
  EXPECT_TRUE(house.queue.stored.empty());
  EXPECT_THAT(house.log.lines, Contains(HasSubstr(R"("event":"rejected")")));
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("192.0.2.7 is listed by bl.example")));
  EXPECT_EQ(totals().listed, 1U);
  // It learns nothing about addresses.
  EXPECT_THAT(send("nobody@example.org", "192.0.2.7"), HasSubstr("550 5.7.1 192.0.2.7 is listed"));
  EXPECT_THAT(send("info@example.org", "192.0.2.8"), HasSubstr("250 2.0.0 queued"));
}

TEST_F(Abuse, ItsPostmasterMailIsTaken) {  // RFC 5321 §4.5.1
  use(lists());
  const std::string heard = send("PostMaster@example.org", "192.0.2.7");
  EXPECT_THAT(heard, Not(HasSubstr("is listed by"))) << "this house has no postmaster, that is all";
  EXPECT_THAT(heard, HasSubstr("550 5.1.1"));
}

TEST_F(Abuse, WhatIsBelowTheScoreIsTaken) {
  use(lists());
  EXPECT_THAT(send("info@example.org", "198.51.100.2"), HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(send("info@example.org", "198.51.100.1"), HasSubstr("250 2.0.0 queued"));
  EXPECT_EQ(totals().listed, 0U);
}

TEST_F(Abuse, AListedClientIsRefusedAtConnect) {
  use(lists(DnsListStage::Connect));
  const auto wire = house.dial({"EHLO c.example\r\n"}, "192.0.2.7");
  house.poll();
  EXPECT_EQ(wire->sent,
            "554 5.7.1 192.0.2.7 is listed by bl.example\r\n"
            "503 5.5.1 No service for you, say QUIT\r\n");
  EXPECT_TRUE(wire->closed);
  EXPECT_THAT(send("info@example.org", "192.0.2.8"), HasSubstr("250 2.0.0 queued"));
}

TEST_F(Abuse, ListsThatDoNotAnswerLetMailFlow) {
  for (const auto at : {DnsListStage::Recipient, DnsListStage::Connect}) {
    use(lists(at));
    house.resolver.replace_zone("7.2.0.192.bl.example NEVER\n7.2.0.192.wl.example SERVFAIL\n");
    const auto wire = house.dial(envelope_and({"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT\r\n"}));
    house.clock.run_for(house.io, 4s);
    EXPECT_THAT(wire->sent, Not(HasSubstr("queued")));
    house.clock.run_for(house.io, 2s);
    EXPECT_THAT(wire->sent, HasSubstr("250 2.0.0 queued"));
    EXPECT_EQ(totals().list_failures, at == DnsListStage::Recipient ? 2U : 4U);
  }
}

TEST_F(Abuse, AStrangerWaitsAndIsTaken) {
  use(greylisting());
  EXPECT_THAT(send("info@example.org"),
              HasSubstr("451 4.7.1 Greylisted, try again in 300 seconds"));
  house.clock.advance(299s);
  EXPECT_THAT(send("info@example.org"), HasSubstr("451 4.7.1"));
  house.clock.advance(1s);
  EXPECT_THAT(send("info@example.org"), HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(send("INFO@Example.ORG", "203.0.113.77", "Ann@Sender.example"),
              HasSubstr("250 2.0.0 queued"))
      << "the same network, and the same paths, however written";
  EXPECT_THAT(send("info@example.org", "203.0.114.5"), HasSubstr("451"));
  EXPECT_THAT(send("team@example.org"), HasSubstr("451"));
  EXPECT_THAT(send("info@example.org", "203.0.113.5", "bob@sender.example"), HasSubstr("451"));
  EXPECT_EQ(totals().greylisted, 5U);
  EXPECT_EQ(totals().passed, 1U);
}

/// One client asks for sub-addresses without end: its network is not noted without end, and known
/// clients of it are not forgotten.
TEST_F(Abuse, ANetworkBringsSoManyStrangersAndNoMore) {
  AbusePolicy policy = greylisting();
  policy.greylist.strangers = {.count = 10, .span = 1h};
  use(policy);
  EXPECT_THAT(send("info@example.org"), HasSubstr("451 4.7.1"));
  house.clock.advance(1h);
  EXPECT_THAT(send("info@example.org"), HasSubstr("queued"));
  const std::size_t before = house.greylist.visitors();
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(send("info+" + std::to_string(i) + "@example.org"), HasSubstr("451 4.7.1"));
  }
  EXPECT_EQ(house.greylist.visitors(), before + 10);
  EXPECT_THAT(send("info@example.org"), HasSubstr("queued"));
  EXPECT_THAT(send("info@example.org", "198.51.100.9"), HasSubstr("451 4.7.1"));
  EXPECT_EQ(house.greylist.visitors(), before + 11) << "another network is not meant";
  house.clock.advance(1h);
  EXPECT_THAT(send("info+last@example.org"), HasSubstr("451 4.7.1"));
  EXPECT_EQ(house.greylist.visitors(), before + 12);
}

TEST_F(Abuse, WhoDoesNotExistIsNotPutOff) {
  use(greylisting());
  EXPECT_THAT(send("nobody@example.org"), HasSubstr("550 5.1.1"));
  EXPECT_EQ(house.greylist.visitors(), 0U);
}

TEST_F(Abuse, ANetworkThatPassedOftenIsNotPutOff) {
  use(greylisting());
  for (const char* sender : {"a@sender.example", "b@sender.example"}) {
    EXPECT_THAT(send("info@example.org", "203.0.113.5", sender), HasSubstr("451"));
    house.clock.advance(300s);
    EXPECT_THAT(send("info@example.org", "203.0.113.5", sender), HasSubstr("queued"));
  }
  EXPECT_THAT(send("team@example.org", "203.0.113.99", "new@other.example"), HasSubstr("queued"));
}

TEST_F(Abuse, AnAllowListedClientDoesNotWait) {
  AbusePolicy policy = lists();
  policy.greylist = greylisting().greylist;
  use(policy);
  EXPECT_THAT(send("info@example.org", "198.51.100.1"), HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(send("info@example.org", "198.51.100.2"), HasSubstr("451")) << "5 above nothing";
}

TEST_F(Abuse, PostmasterAndBouncesDoNotWait) {
  use(greylisting());
  const auto heard = send("SRS0=AAAA=BB=x.example=y@srs.example.org", "203.0.113.5", "");
  EXPECT_THAT(heard, Not(HasSubstr("Greylisted")));
  EXPECT_THAT(send("postmaster@example.org"), Not(HasSubstr("Greylisted")));
}

TEST_F(Abuse, AListThatCannotBeKeptLetsMailFlow) {
  use(greylisting());
  house.greylist.error = ports::SpoolError::Full;
  EXPECT_THAT(send("info@example.org"), HasSubstr("250 2.0.0 queued"));
}

TEST_F(Abuse, RatesBiteAndRecover) {
  AbusePolicy policy;
  policy.rates.per_client = {.count = 3, .span = 1h};
  use(policy);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(send("info@example.org"), HasSubstr("queued"));
  EXPECT_THAT(send("info@example.org"),
              HasSubstr("450 4.7.1 Too many messages from your address, try again later"));
  EXPECT_THAT(send("info@example.org", "203.0.113.6"), HasSubstr("queued"));
  EXPECT_EQ(totals().over_rate, 1U);
  house.clock.advance(20min);
  EXPECT_THAT(send("info@example.org"), HasSubstr("queued"));
  EXPECT_THAT(send("info@example.org"), HasSubstr("450 4.7.1"));
}

TEST_F(Abuse, AMessageToManyCountsOnceForItsSender) {
  AbusePolicy policy;
  policy.rates.per_client = policy.rates.per_sender_domain = {.count = 1, .span = 1h};
  policy.rates.per_alias = {.count = 1, .span = 1h};
  use(policy);
  const auto wire = house.talk({"EHLO c.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
                                "RCPT TO:<info@example.org>\r\n", "RCPT TO:<team@example.org>\r\n",
                                "RCPT TO:<info@example.org>\r\n", "QUIT\r\n"});
  EXPECT_THAT(wire->sent,
              HasSubstr("250 2.1.5 Recipient ok\r\n250 2.1.5 Recipient ok\r\n451 4.7.1"));
  EXPECT_THAT(wire->sent, HasSubstr("451 4.7.1 Too many messages to this address"));
}

TEST_F(Abuse, GuessingIsSlowedDown) {
  AbusePolicy policy;
  policy.rates.unknown = {.count = 3, .span = 1h};
  use(policy);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(send("nobody@example.org"), HasSubstr("550 5.1.1"));
  EXPECT_THAT(send("nobody@example.org"), HasSubstr("450 4.7.1 Too many unknown recipients"));
  EXPECT_THAT(send("info@example.org", "203.0.113.6"), HasSubstr("450 4.7.1"))
      << "the whole network, and right or wrong alike";
  EXPECT_THAT(send("info@example.org", "203.0.114.5"), HasSubstr("queued"));
  house.clock.advance(20min);
  EXPECT_THAT(send("info@example.org"), HasSubstr("queued"));
}

/// Its tag says whether an SRS address is right: guesses at names do not put it off, and a client
/// that asks for one has guessed no name, even if the sender behind it no longer exists here.
TEST_F(Abuse, GuessingAtNamesPutsOffNoSrsAddress) {
  AbusePolicy policy;
  policy.rates.unknown = {.count = 1, .span = 1h};
  use(policy);
  const std::string gone = srs_address(house, "nobody@example.org");
  for (int i = 0; i < 2; ++i) EXPECT_THAT(send(gone, "203.0.113.5", ""), HasSubstr("550 5.1.1"));
  EXPECT_THAT(send("nobody@example.org"), HasSubstr("550 5.1.1"));
  EXPECT_THAT(send("info@example.org"), HasSubstr("450 4.7.1 Too many unknown recipients"));
  const std::string right = srs_address(house, "ann@sender.example");
  EXPECT_THAT(send(right, "203.0.113.5", ""), HasSubstr("queued"));
  EXPECT_THAT(send(forged(house, 1), "203.0.113.5", ""), HasSubstr("550 5.1.8"));
  EXPECT_THAT(send("info@example.org"), HasSubstr("450 4.7.1"));
}

TEST(MessageRates, CountEachKindForItself) {
  const base::Rate one{.count = 1, .span = 1h};
  const base::SteadyTime now;
  const Admission ann{.origin = base::origin_of("192.0.2.1"),
                      .reverse_path = "ann@sender.example",
                      .forward_path = "info@example.org",
                      .targets = {"me@mail.example"}};
  const auto second = [&](const RatePolicy& policy, const Admission& admission) {
    MessageRates rates;
    EXPECT_FALSE(rates.take(ann, policy, now));
    const auto reply = rates.take(admission, policy, now);
    return reply ? reply->text() : "";
  };
  Admission neighbour = ann;
  neighbour.origin = base::origin_of("192.0.2.2");
  Admission other = ann;
  other.reverse_path = "bob@other.example";
  other.forward_path = "info+tag@example.org";
  Admission bounce = ann;
  bounce.reverse_path = "";
  bounce.is_bounce = true;
  EXPECT_THAT(second({.per_client = one}, ann), HasSubstr("your address"));
  EXPECT_EQ(second({.per_client = one}, neighbour), "");
  EXPECT_THAT(second({.per_network = one}, neighbour), HasSubstr("your network"));
  EXPECT_THAT(second({.per_alias = one, .tag = '+'}, other), HasSubstr("to this address"));
  EXPECT_EQ(second({.per_alias = one}, bounce), "");
  EXPECT_EQ(second({.per_alias = one, .tag = '-'}, other), "");
  other.targets = {"you@mail.example", "me@mail.example"};
  neighbour.targets = {"you@mail.example"};
  EXPECT_THAT(second({.per_target = one}, other), HasSubstr("to a target of this address"));
  EXPECT_EQ(second({.per_target = one}, neighbour), "");
  EXPECT_EQ(second({.per_target = one}, bounce), "");
  EXPECT_EQ(second({}, ann), "") << "0: no limit";
}

TEST(MessageRates, OneLimitReachedDoesNotUseUpTheOthers) {
  MessageRates rates;
  const RatePolicy policy{.per_client = {.count = 2, .span = 1h},
                          .per_alias = {.count = 1, .span = 1h}};
  const auto to = [](const char* path) {
    return Admission{.origin = base::origin_of("192.0.2.1"), .forward_path = path};
  };
  EXPECT_FALSE(rates.take(to("a@example.org"), policy, {}));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(rates.take(to("a@example.org"), policy, {}));
  EXPECT_FALSE(rates.take(to("b@example.org"), policy, {}));
  EXPECT_TRUE(rates.take(to("c@example.org"), policy, {}));
}

mail::DkimVerdict signature(const std::string& head, mail::DkimResult result) {
  return {.result = result, .domain = "sender.example", .selector = "s1", .signature_head = head};
}

const mail::DkimVerdict kReplayed = signature("AAAAAAAA", mail::DkimResult::Pass);

/// One signed message to 10,000 aliases, in however many transactions.
TEST(MessageRates, HoldUpASignedMessageThatIsReplayed) {
  const RatePolicy policy{.per_signature = {.count = 500, .span = 1h}};
  MessageRates rates;
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += rates.take_signed({kReplayed}, 1, policy, {}) ? 0 : 1;
  EXPECT_EQ(taken, 500);
  const auto reply = rates.take_signed({kReplayed}, 1, policy, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code(), 451);
  EXPECT_EQ(reply->status(), (mail::EnhancedStatus{4, 7, 1}));
  EXPECT_THAT(reply->text(), HasSubstr("under one DKIM signature of sender.example"));
  // Other mail goes on: the same sender's next message, unsigned mail, signatures that are wrong.
  EXPECT_FALSE(rates.take_signed({signature("BBBBBBBB", mail::DkimResult::Pass)}, 1, policy, {}));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(rates.take_signed({}, 100, policy, {}));
    EXPECT_FALSE(
        rates.take_signed({signature("CCCCCCCC", mail::DkimResult::Fail)}, 100, policy, {}));
  }
  EXPECT_EQ(rates.size(), 2U);
  EXPECT_FALSE(rates.take_signed({kReplayed}, 1, policy, base::SteadyTime(1min)));
  EXPECT_FALSE(rates.take_signed({kReplayed}, 1, {}, {})) << "0: no limit, the default";
}

/// Adding signatures of one's own does not help a replay; and a message with more copies than the
/// limit is taken whole, once.
TEST(MessageRates, CountEverySignatureAndEveryCopy) {
  const RatePolicy policy{.per_signature = {.count = 500, .span = 1h}};
  MessageRates rates;
  EXPECT_FALSE(rates.take_signed({kReplayed}, 800, policy, {}));
  EXPECT_TRUE(rates.take_signed({kReplayed}, 1, policy, {}));
  for (int i = 0; i < 100; ++i) {
    const auto own = signature(std::to_string(i), mail::DkimResult::Pass);
    EXPECT_TRUE(rates.take_signed({own, own, kReplayed}, 1, policy, {}));
    EXPECT_FALSE(rates.take_signed({own}, 1, policy, {})) << "what was refused uses nothing up";
  }
}

struct TagRow {
  const char* path;
  char tag;
  const char* without;
};

class WithoutTag : public testing::TestWithParam<TagRow> {};

TEST_P(WithoutTag, IsTheAddressItself) {
  EXPECT_EQ(mail::without_tag(GetParam().path, GetParam().tag), GetParam().without);
}

INSTANTIATE_TEST_SUITE_P(All, WithoutTag,
                         testing::Values(TagRow{"info+x@a.example", '+', "info@a.example"},
                                         TagRow{"info+x+y@a.example", '+', "info@a.example"},
                                         TagRow{"+x@a.example", '+', "+x@a.example"},
                                         TagRow{"info+x@a.example", '\0', "info+x@a.example"},
                                         TagRow{"info-x@a-b.example", '-', "info@a-b.example"},
                                         TagRow{"info@a-b.example", '-', "info@a-b.example"},
                                         TagRow{"postmaster", '+', "postmaster"}));

TEST(MessageRates, ASenderDomainIsCountedForAllWhereItIsProvenAndElseForANetwork) {
  const base::SteadyTime now{};
  const RatePolicy policy{.per_sender_domain = {.count = 2, .span = 1h}};
  MessageRates rates;
  const base::Origin forger = base::origin_of("127.66.6.6");
  const base::Origin other = base::origin_of("192.0.2.1");
  for (int i = 0; i < 10; ++i) rates.take_sender("x@victim.example", &forger, policy, now);
  EXPECT_TRUE(rates.take_sender("y@victim.example", &forger, policy, now));
  // Messages that claim a domain without proof count against neither the domain nor other networks.
  EXPECT_FALSE(rates.take_sender("z@victim.example", &other, policy, now));
  EXPECT_FALSE(rates.take_sender("ann@victim.example", nullptr, policy, now));
  EXPECT_FALSE(rates.take_sender("bob@victim.example", nullptr, policy, now));
  const auto third = rates.take_sender("ann@victim.example", nullptr, policy, now);
  ASSERT_TRUE(third);
  EXPECT_THAT(third->text(), HasSubstr("this sender domain"));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(rates.take_sender("", nullptr, policy, now));
}

/// Clients from any number of places do not make the tables grow.
TEST(AbuseTables, StayBoundedUnderAHundredThousandClients) {
  const base::Rate rate{.count = 10, .span = 1h};
  const RatePolicy policy{.per_client = rate,
                          .per_network = rate,
                          .per_alias = rate,
                          .per_sender_domain = rate,
                          .per_signature = rate,
                          .per_target = rate,
                          .unknown = rate};
  MessageRates rates;
  for (int i = 0; i < 100'000; ++i) {
    const std::string n = std::to_string(i);
    rates.take({.origin = base::origin_of(n),
                .reverse_path = "a@" + n,
                .forward_path = n + "@x",
                .targets = {n + "@a", n + "@b"}},
               policy, {});
    rates.take_sender("a@" + n, nullptr, policy, {});
    rates.take_signed({signature(n, mail::DkimResult::Pass)}, 1, policy, {});
    rates.note_unknown(base::origin_of(n), policy, {});
  }
  EXPECT_EQ(rates.size(), 7 * MessageRates::kMaxKeys);
}

}  // namespace
}  // namespace relay::inbound
