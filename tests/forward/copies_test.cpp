// The copies of one message and their senders, one recipient after the other.
#include "relay/forward/copies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/forward/policy.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using house::mailbox;
using testing::ElementsAre;
using testing::StartsWith;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};
const mail::MessageId kMessage = mail::MessageId::make(kNow, {1});
const std::string kClient = "192.0.2.7";

ResolvedRecipient recipient(const std::string& alias, const std::vector<std::string>& targets) {
  ResolvedRecipient made{.original = mail::ForwardPath(mailbox(alias + "@hosted.example"))};
  for (const std::string& target : targets) made.targets.push_back(mailbox(target));
  return made;
}

/// One message from ann@sender.example, unless a test says otherwise.
class OneMessage : public testing::Test {
 protected:
  /// To be called before the first copy.
  void use(std::optional<Evidence> evidence) { evidence_ = std::move(evidence); }

  std::optional<Rejection> add(const ResolvedRecipient& to) { return copies_.add(to); }

  /// Each copy: its target, its group where it has one, and what becomes of it.
  static std::vector<std::string> texts_of(const std::vector<mail::Route>& routes) {
    std::vector<std::string> texts;
    for (const mail::Route& route : routes) {
      std::string text = route.target.to_string();
      if (route.group > 0) text += " group " + std::to_string(route.group);
      if (route.stands_by) text += " stands by";
      if (route.ended == mail::End::Refused) text += " refused";
      if (route.ended == mail::End::Discarded) text += " discarded";
      texts.push_back(std::move(text));
    }
    return texts;
  }

  std::vector<std::string> copies() { return texts_of(copies_.take_routes()); }

  Policy policy_ = house::policy();
  mail::ReversePath sender_ = mail::ReversePath(mailbox("ann@sender.example"));
  std::optional<Evidence> evidence_;
  Strategy strategy_ = house::strategy(policy_);
  Directory directory_ = *Directory::make(std::make_shared<const Policy>(policy_));
  Incoming message_{kMessage, sender_, kClient, kNow};
  CopySenders senders_{directory_.senders(), strategy_, message_, evidence_};
  Copies copies_{directory_, senders_, mail::AliasMark::OriginalTo, 1000};
};

using CopiesTest = OneMessage;

TEST_F(CopiesTest, ATargetGetsOneCopyHoweverManyRecipientsLeadToIt) {
  EXPECT_FALSE(add(recipient("info", {"me@target.example", "you@target.example"})));
  EXPECT_FALSE(add(recipient("team", {"ME@target.example", "us@target.example"})));
  const auto routes = copies_.take_routes();
  EXPECT_THAT(texts_of(routes),
              ElementsAre("me@target.example", "you@target.example", "us@target.example"));
  for (std::size_t i = 0; i < routes.size(); ++i) EXPECT_EQ(routes[i].index, i);
  EXPECT_EQ(routes[0].original.to_string(), routes[1].original.to_string());
  EXPECT_EQ(routes[2].original.to_string(), "team@hosted.example");
}

/// Through the first alias the message is too large for the target, through the second it is not.
TEST_F(CopiesTest, ACopyThatIsTooLargeForOneAliasIsMadeForTheOther) {
  ResolvedRecipient small = recipient("small", {"me@target.example"});
  small.terms = {{.max_size = 999}};
  EXPECT_FALSE(add(small));
  EXPECT_FALSE(add(recipient("large", {"me@target.example"})));
  EXPECT_FALSE(add(recipient("again", {"me@target.example"})));
  EXPECT_THAT(copies(), ElementsAre("me@target.example refused", "me@target.example"));
}

/// When the first copy fails, its fallback is used, and the second recipient would hear nothing.
TEST_F(CopiesTest, ACopyThatMayBeReplacedDoesNotCountForARecipientWithoutFallback) {
  ResolvedRecipient backed = recipient("backed", {"me@target.example", "you@target.example"});
  backed.terms = {{.fallback = 1}, {.fallback = 1}};
  backed.fallbacks = {{.targets = {mailbox("spare@target.example")}, .terms = {{}}}};
  EXPECT_FALSE(add(backed));
  EXPECT_FALSE(add(recipient("plain", {"me@target.example"})));
  EXPECT_FALSE(add(recipient("other", {"me@target.example"})));
  EXPECT_THAT(copies(), ElementsAre("me@target.example group 1", "you@target.example group 1",
                                    "spare@target.example group 1 stands by", "me@target.example"));
}

/// A fallback that gets the mail anyway has nothing to replace.
TEST_F(CopiesTest, AFallbackThatIsATargetItselfMakesNoGroup) {
  ResolvedRecipient backed = recipient("backed", {"me@target.example"});
  backed.terms = {{.fallback = 1}};
  backed.fallbacks = {{.targets = {mailbox("Me@target.example")}, .terms = {{}}}};
  EXPECT_FALSE(add(backed));
  EXPECT_FALSE(add(recipient("plain", {"me@target.example"})));
  EXPECT_THAT(copies(), ElementsAre("me@target.example"));
}

TEST_F(CopiesTest, AnAliasThatDiscardsDoesSoOnce) {
  ResolvedRecipient nobody = recipient("nobody", {});
  nobody.discards = {mailbox("nobody@hosted.example")};
  EXPECT_FALSE(add(nobody));
  EXPECT_FALSE(add(nobody));
  EXPECT_FALSE(add(recipient("info", {"me@target.example"})));
  const auto routes = copies_.take_routes();
  EXPECT_THAT(texts_of(routes),
              ElementsAre("nobody@hosted.example discarded", "me@target.example"));
  EXPECT_EQ(routes[0].reverse_path, sender_) << "it leaves under no sender of ours";
}

TEST_F(CopiesTest, TooManyTargetsRefuseTheMessageUnlessTheyHaveACopy) {
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < kMaxTargets; ++i) {
    targets.push_back("u" + std::to_string(i) + "@target.example");
  }
  EXPECT_FALSE(add(recipient("all", targets)));
  EXPECT_FALSE(add(recipient("first", {targets.front()})));
  const auto refusal = add(recipient("more", {"one-more@target.example"}));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, 452);
  EXPECT_EQ(copies_.take_routes().size(), kMaxTargets);
}

/// A bounce is for whoever sent the message, who knows nothing of the alias.
TEST_F(CopiesTest, ACopyNamesItsAliasUnlessItIsABounce) {
  EXPECT_FALSE(add(recipient("info", {"me@target.example"})));
  ResolvedRecipient bounce = recipient("info", {"ann@sender.example"});
  bounce.is_bounce = true;
  EXPECT_FALSE(add(bounce));
  const auto routes = copies_.take_routes();
  EXPECT_EQ(routes.at(0).mark, mail::AliasMark::OriginalTo);
  EXPECT_EQ(routes.at(1).mark, mail::AliasMark::None);
}

class CopySendersTest : public OneMessage {
 protected:
  CopySendersTest() { use(house::evidence()); }

  static mail::Route route_to(const std::string& target) {
    return {.original = mail::ForwardPath(mailbox("info@hosted.example")),
            .target = mailbox(target),
            .reverse_path = {}};
  }

  /// Settles the copy; the index of its choice, or kNone.
  std::size_t settle(mail::Route& route, const ResolvedRecipient& to = recipient("info", {})) {
    const auto chosen = senders_.settle(to, route);
    EXPECT_TRUE(chosen) << chosen.error().text;
    return chosen && *chosen ? **chosen : kNone;
  }

  static constexpr std::size_t kNone = 999;

  mail::Route one_ = route_to("a@one.example");
  mail::Route two_ = route_to("b@two.example");
};

TEST_F(CopySendersTest, ChooseOnceForTargetsThatWantTheSame) {
  mail::Route kept = route_to("c@keeps.example");
  mail::Route strict = route_to("d@one.example");
  ResolvedRecipient other = recipient("strict", {});
  other.dmarc.rewrite_from = RewriteFrom::WhenNeeded;
  EXPECT_EQ(settle(one_), 0U);
  EXPECT_EQ(settle(kept), 1U);
  EXPECT_EQ(settle(two_), 0U);
  EXPECT_EQ(settle(strict, other), 2U) << "its alias wants something else";
  EXPECT_EQ(senders_.take_choices().size(), 3U);
  EXPECT_THAT(one_.reverse_path.to_string(), StartsWith("SRS0="));
  EXPECT_EQ(kept.reverse_path, sender_) << "this target wants the sender kept";
  EXPECT_EQ(two_.reverse_path, one_.reverse_path) << "one SRS address for all";
}

/// A copy that has ended leaves under no name of ours, but the message must be allowed to come.
TEST_F(CopySendersTest, ACopyThatHasEndedKeepsItsSenderAndStillAsks) {
  const auto chosen = senders_.settle_ended(recipient("info", {}), one_);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(*chosen, 0U);
  EXPECT_EQ(one_.reverse_path, sender_);
  EXPECT_EQ(settle(two_), 0U) << "the same choice";
  EXPECT_TRUE(senders_.take_tokens().empty());
}

TEST_F(CopySendersTest, ARefusalIsOfTheMessageWhateverBecomesOfTheCopy) {
  use(house::spoof("author.example", mail::DmarcPolicy::Reject));
  EXPECT_EQ(senders_.settle(recipient("info", {}), one_).error().code, 550);
  EXPECT_EQ(senders_.settle_ended(recipient("info", {}), one_).error().code, 550);
  EXPECT_EQ(senders_.take_choices().size(), 1U);
}

/// What one copy needs, the message needs: hold() does not go back to false with the next copy.
TEST_F(CopySendersTest, AHoldOfOneCopyIsAHoldOfTheMessage) {
  use(house::spoof("author.example", mail::DmarcPolicy::Quarantine));
  ResolvedRecipient held = recipient("held", {});
  held.dmarc.on_dmarc_fail = OnDmarcFail::Hold;
  EXPECT_FALSE(senders_.hold());
  settle(one_, held);
  EXPECT_TRUE(senders_.hold());
  settle(two_);
  EXPECT_TRUE(senders_.hold());
}

/// Without verification there is no choice, but a long sender still needs its token, and only one.
TEST_F(CopySendersTest, WithoutEvidenceTheSrsAddressIsMadeOnceToo) {
  use(std::nullopt);
  sender_ = mail::ReversePath(mailbox(std::string(200, 'a') + "@sender.example"));
  EXPECT_EQ(settle(one_), kNone);
  EXPECT_EQ(settle(two_), kNone);
  EXPECT_EQ(one_.reverse_path, two_.reverse_path);
  EXPECT_EQ(senders_.take_tokens().size(), 1U);
  EXPECT_TRUE(senders_.take_choices().empty());
}

}  // namespace
}  // namespace relay::forward
