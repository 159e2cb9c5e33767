// Consent as a client hears it and as it is stored: copies that wait for a target that has not
// confirmed, how many may, what one mailbox gets through all aliases, and whom to complain to.
#include "relay/inbound/consent.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"
#include "tests/inbound/test_planner.hpp"
#include "tests/support/run_task.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Consenting : public testing::Test {
 protected:
  Consenting() { confirm({}); }

  /// A reload: targets must confirm, these have.
  void confirm(const std::vector<std::string>& targets) {
    use([&](Policy& policy) { policy.planner = consenting_planner(targets); });
  }

  template <class Change>
  void use(Change change) {
    auto policy = std::make_shared<Policy>(*house_.policy.get());
    change(*policy);
    house_.policy.publish(std::move(policy));
  }

  std::string send(const std::vector<std::string>& recipients, const std::string& content = "x",
                   const std::string& sender = "ann@sender.example") {
    std::vector<std::string> lines{"EHLO c.example\r\n", "MAIL FROM:<" + sender + ">\r\n"};
    for (const auto& recipient : recipients) lines.push_back("RCPT TO:<" + recipient + ">\r\n");
    lines.insert(lines.end(),
                 {"DATA\r\n", "Subject: x\r\n\r\n" + content + "\r\n.\r\n", "QUIT\r\n"});
    const auto wire = house_.dial(lines);
    house_.poll();
    return wire->sent;
  }

  template <class T>
  T await(base::Task<T> task) {
    T result = support::run_task(house_.io, std::move(task));
    house_.poll();
    return result;
  }

  const std::vector<mail::Route>& routes() const {
    return house_.queue.stored.back().message.routes;
  }

  House house_;
};

TEST_F(Consenting, ACopyIsHeldWhileAnotherOfItsMessageLeaves) {
  confirm({"@y.example"});
  EXPECT_THAT(send({"team@example.org"}), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(routes().size(), 2U);
  EXPECT_TRUE(routes()[0].held);
  EXPECT_EQ(routes()[0].awaits, "a@x.example");
  EXPECT_FALSE(routes()[1].held);
  ASSERT_EQ(house_.feed.offered.size(), 1U);
  const auto& offered = house_.feed.offered[0].queued.recipients;
  EXPECT_EQ(offered[0].state, mail::RecipientState::Held);
  EXPECT_EQ(offered[1].state, mail::RecipientState::Waiting);
  EXPECT_THAT(house_.log.lines, Contains(HasSubstr(R"("awaits_consent":"a@x.example")")));
}

TEST_F(Consenting, NobodyIsAskedByDefault) {
  House house;
  const auto wire = house.talk({"EHLO c.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
                                "RCPT TO:<info@example.org>\r\n", "DATA\r\n",
                                "Subject: x\r\n\r\nx\r\n.\r\n", "QUIT\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_FALSE(house.queue.stored[0].message.routes[0].held);
}

TEST_F(Consenting, EnoughIsHeldForATargetAndTheRestIsPutOff) {
  use([](Policy& policy) { policy.max_awaiting = 2; });
  EXPECT_THAT(send({"info@example.org"}, "1"), HasSubstr("queued"));
  EXPECT_THAT(send({"info+tag@example.org"}, "2"), HasSubstr("queued"));
  EXPECT_THAT(send({"info+more@example.org"}, "3"), HasSubstr("\r\n450 4.7.1 A target has not"));
  EXPECT_THAT(send({"team@example.org"}, "4"), HasSubstr("queued")) << "others have their own";
  confirm({"me@mail.example"});
  EXPECT_THAT(send({"info@example.org"}, "5"), HasSubstr("queued"));
  EXPECT_FALSE(routes()[0].held);
}

TEST_F(Consenting, WhoIsFullMeanwhileIsPutOffAtTheEnd) {
  house_.queue.commit_error = ports::SpoolError::Unconfirmed;
  EXPECT_THAT(send({"info@example.org"}), HasSubstr("\r\n450 4.7.1 A target has not confirmed"));
  EXPECT_EQ(house_.feed.offered.size(), 0U);
}

/// The confirmation comes during the message, which keeps the old policy; the queue has been
/// searched for held copies already.
TEST_F(Consenting, AConfirmationDuringAMessageIsNotMissed) {
  house_.queue.on_commit = [this] { confirm({"me@mail.example"}); };
  EXPECT_THAT(send({"info@example.org"}), HasSubstr("queued"));
  EXPECT_EQ(routes()[0].awaits, "me@mail.example") << "it was stored as waiting";
  ASSERT_EQ(house_.consent.released.size(), 1U);
  EXPECT_EQ(house_.consent.released[0].copy.message, house_.queue.stored[0].message.message.id);
  EXPECT_EQ(house_.feed.offered.at(0).queued.recipients[0].state, mail::RecipientState::Waiting);
  EXPECT_GT(house_.feed.offered.at(0).queued.recipients[0].released_at, base::WallTime{});
}

TEST_F(Consenting, IsNotAskedOfWhomABounceGoesTo) {
  send({"info@example.org"});
  const std::string back = routes()[0].reverse_path.to_string();
  EXPECT_THAT(send({back}, "bounced", ""), HasSubstr("queued"));
  EXPECT_EQ(routes()[0].target.to_string(), "ann@sender.example");
  EXPECT_FALSE(routes()[0].held);
}

TEST_F(Consenting, AReloadReleasesWhatWaitedForWhoConfirmed) {
  const auto add = [&](const std::string& target, const std::string& awaits) {
    ports::NewMessage made;
    made.message.id = mail::MessageId::generate(house_.clock.wall());
    made.routes.push_back({.index = 0,
                           .original = *mail::parse_forward_path("<info@example.org>"),
                           .target = *mail::Mailbox::parse(target),
                           .reverse_path = {},
                           .held = true,
                           .awaits = awaits});
    EXPECT_TRUE(await(house_.queue.commit(std::move(made))));
  };
  for (int i = 0; i < 1203; ++i) add("me+x@mail.example", "me@mail.example");
  add("you@mail.example", "you@mail.example");
  add("me@mail.example", "");  // for the operator
  const auto release = [&] {
    return await(release_confirmed(house_.consent, house_.policy)).value();
  };
  EXPECT_EQ(release(), 0U);
  confirm({"me@mail.example"});
  EXPECT_EQ(release(), 1203U);
  EXPECT_EQ(release(), 0U);
  use([](Policy& policy) { policy.planner = test_policy_base().planner; });
  EXPECT_EQ(release(), 1U) << "no consent is required any more";
}

TEST_F(Consenting, OneMailboxGetsWhatItsRateAllowsThroughAllAliases) {
  use([](Policy& policy) {
    policy = [&] {
      Policy plain = policy;
      plain.planner = test_policy_base().planner;
      plain.abuse.rates.tag = '+';
      plain.abuse.rates.per_target = {.count = 2, .span = 1h};
      return plain;
    }();
  });
  EXPECT_THAT(send({"info@example.org"}, "1"), HasSubstr("queued"));
  EXPECT_THAT(send({"info+a@example.org"}, "2"), HasSubstr("queued"));
  EXPECT_THAT(send({"info+b@example.org"}, "3"),
              HasSubstr("451 4.7.1 Too many messages to a target of this address"));
  EXPECT_THAT(send({"team@example.org"}, "4"), HasSubstr("queued"));
  // Bounces have limits of their own.
  const std::string back = routes()[0].reverse_path.to_string();
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(send({back}, "bounce " + std::to_string(i), ""), HasSubstr("queued"));
  }
  house_.clock.advance(31min);
  EXPECT_THAT(send({"info@example.org"}, "5"), HasSubstr("queued"));
}

TEST_F(Consenting, ForwardedMailSaysWhomToComplainTo) {
  use([](Policy& policy) { policy.contact_field = "X-Report-Abuse-To: abuse@example.org\r\n"; });
  send({"info@example.org"});
  const std::string& fields = house_.queue.stored.back().message.message.trace_fields;
  const std::size_t at = fields.find("\r\nX-Report-Abuse-To: abuse@example.org\r\n");
  ASSERT_NE(at, std::string::npos) << fields;
  EXPECT_LT(fields.find("Received: "), at);
  EXPECT_LT(at, fields.find("DKIM-Signature: "));
  EXPECT_THAT(house_.signer.requests.back().header->block(), Not(HasSubstr("X-Report-Abuse-To")));
  const std::string back = routes()[0].reverse_path.to_string();
  send({back}, "bounced", "");
  EXPECT_THAT(house_.queue.stored.back().message.message.trace_fields,
              Not(HasSubstr("X-Report-Abuse-To")));
}

}  // namespace
}  // namespace relay::inbound
