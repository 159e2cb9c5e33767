// Memory that runs out, at every single allocation of a session. The session may end, with 421; the
// process must not, and its promises hold (guarantee "Memory that runs out costs one session").
#include <chrono>
#include <cstddef>
#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/scarce_memory.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMostAllocations = 5000;

struct Tally {
  std::size_t runs = 0;
  std::size_t told = 0;      ///< ended with 421
  std::size_t accepted = 0;  ///< 250 in spite of it
};

constexpr const char* kZone =
    "client.example TXT \"v=spf1 ip4:192.0.2.7 -all\"\n"
    "sender.example TXT \"v=spf1 include:client.example -all\"\n"
    "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n"
    "192.0.2.7 PTR client.example\nclient.example A 192.0.2.7\n";

/// A handler that ends for want of memory is lost; the shard goes on (net/shard.cpp).
void poll_as_a_shard(House& house) {
  for (bool over = false; !over;) {
    try {
      house.poll();
      over = true;
    } catch (const std::bad_alloc&) {
    }
  }
}

/// Tasks that nobody awaits end while the clock exists.
struct Aftermath {
  House& house;

  ~Aftermath() {
    house.clock.advance(std::chrono::minutes(1));
    poll_as_a_shard(house);
  }
};

enum class Visitor { Client, VerifiedClient, Gateway };

/// The peer is a gateway, whose clients are in Received where it does not name them.
void make_gateway(House& house) {
  auto policy = std::make_shared<Policy>(*house.policy.get());
  policy->arrival.gateways = {{.from = {*base::Network::parse("192.0.2.7")},
                               .reads_received = true,
                               .names = {"gw.example.org"}}};
  house.policy.publish(std::move(policy));
}

/// One session with memory failing at the n-th allocation; false when it needed fewer.
bool survives(std::size_t n, const std::vector<std::string>& segments, Visitor visitor,
              Tally& tally) {
  House house({}, true);
  const Aftermath aftermath{house};
  if (visitor != Visitor::Client) house.verify(kZone);
  if (visitor == Visitor::Gateway) make_gateway(house);
  const auto memory = house.memory.held();
  const auto wire = house.dial(segments);
  fakes::fail_allocation(n);
  poll_as_a_shard(house);
  const bool failed = fakes::allocation_failed();
  fakes::fail_allocation(0);
  if (!failed) return false;

  ++tally.runs;
  const bool promised = wire->sent.find("250 2.0.0 queued as ") != std::string::npos;
  tally.accepted += promised ? 1 : 0;
  tally.told += wire->last_words.starts_with("421 ") ? 1 : 0;
  EXPECT_TRUE(!promised || house.queue.stored.size() == 1) << "250 without a message, n = " << n;
  EXPECT_LE(house.queue.stored.size(), 1U) << n;
  EXPECT_EQ(house.acceptor.sessions(), 0U) << n;
  EXPECT_EQ(house.memory.held(), memory) << n;
  EXPECT_TRUE(house.queue.drafts.empty()) << n;
  EXPECT_TRUE(house.feed.expected.empty()) << "nobody would deliver it, n = " << n;
  const auto before = house.queue.stored.size();
  const auto next = house.talk(
      envelope_and({"From: ann@sender.example\r\nSubject: next\r\n\r\nx\r\n.\r\n", "QUIT\r\n"}));
  EXPECT_THAT(next->sent, HasSubstr("250 2.0.0 queued as ")) << n;
  EXPECT_EQ(house.queue.stored.size(), before + 1) << n;
  return true;
}

Tally survive_all(const std::vector<std::string>& segments, Visitor visitor = Visitor::Client) {
  base::set_crash_reporter([](const std::string&, const std::string&) {});
  Tally tally;
  for (std::size_t n = 1; n <= kMostAllocations && survives(n, segments, visitor, tally); ++n) {
  }
  return tally;
}

TEST(AllocationFailure, CostsTheSessionAndNothingElse) {
  const auto tally = survive_all(envelope_and(
      {"From: Ann <ann@sender.example>\r\nSubject: x\r\n\r\nHello\r\n.\r\n", "QUIT\r\n"}));
  EXPECT_GT(tally.runs, 100U);
  EXPECT_LT(tally.runs, kMostAllocations) << "the end was not reached";
  EXPECT_GT(tally.told, tally.runs / 2);
  EXPECT_GT(tally.accepted, 0U) << "behind the commit, too";
}

TEST(AllocationFailure, WhileAMessageIsVerified) {
  const auto tally = survive_all(
      envelope_and({"From: Ann <ann@sender.example>\r\nSubject: x\r\n"
                    "DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=s; h=from; "
                    "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n\r\nHello\r\n.\r\n",
                    "QUIT\r\n"}),
      Visitor::VerifiedClient);
  EXPECT_GT(tally.runs, 250U);
  EXPECT_LT(tally.runs, kMostAllocations) << "the end was not reached";
  EXPECT_GT(tally.told, tally.runs / 2);
  EXPECT_GT(tally.accepted, 0U) << "behind the commit, too";
}

TEST(AllocationFailure, WhileAGatewayNamesItsClient) {
  std::vector<std::string> segments =
      envelope_and({"Received: from client.example (unknown [192.0.2.7]) by gw.example.org; x\r\n"
                    "From: Ann <ann@sender.example>\r\nSubject: x\r\n\r\nHello\r\n.\r\n",
                    "QUIT\r\n"});
  const auto found = survive_all(segments, Visitor::Gateway);
  EXPECT_GT(found.runs, 250U);
  EXPECT_LT(found.runs, kMostAllocations) << "the end was not reached";
  segments.insert(segments.begin(),
                  {"EHLO gw.example.org\r\n", "XCLIENT ADDR=198.51.100.1 PROTO=ESMTP\r\n"});
  segments.insert(segments.begin() + 3, "XFORWARD ADDR=192.0.2.7 HELO=client.example\r\n");
  const auto named = survive_all(segments, Visitor::Gateway);
  EXPECT_GT(named.runs, found.runs);
  EXPECT_LT(named.runs, kMostAllocations) << "the end was not reached";
}

TEST(AllocationFailure, InAMessageOfManyChunks) {
  std::vector<std::string> content{"Subject: big\r\n\r\n"};
  const std::string line = std::string(998, 'x') + "\r\n";
  std::string block;
  for (int i = 0; i < 16; ++i) block += line;
  for (int i = 0; i < 60; ++i) content.push_back(block);
  content.emplace_back(".\r\n");
  const auto tally = survive_all(envelope_and(std::move(content)));
  EXPECT_GT(tally.runs, 100U);
  EXPECT_LT(tally.runs, kMostAllocations);
}

TEST(AllocationFailure, InRefusalsAndUnderTls) {
  const auto tally =
      survive_all({"EHLO c.example\r\n", "STARTTLS\r\n", "never read in the clear\r\n"});
  EXPECT_GT(tally.runs, 20U);
  const auto refused = survive_all({"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n",
                                    "RCPT TO:<nobody@elsewhere.example>\r\n", "NONSENSE\r\n",
                                    "RSET\r\n", "QUIT\r\n"});
  EXPECT_GT(refused.runs, 50U);
}

}  // namespace
}  // namespace relay::inbound
