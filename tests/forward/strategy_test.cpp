#include "relay/forward/strategy.hpp"

#include <gmock/gmock.h>

#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using mail::ArcResult;
using mail::DmarcPolicy;
using mail::SpfResult;
using testing::HasSubstr;

class StrategyTest : public testing::Test {
 protected:
  Choice choose(const Evidence& evidence, const std::string& target = "target.example",
                const DmarcSettings& dmarc = {}) const {
    return house::strategy(config_).choose(evidence, dmarc, target);
  }

  /// "srs+arc", with what else is done.
  std::string way(const Evidence& evidence, const std::string& target = "target.example",
                  const DmarcSettings& dmarc = {}) const {
    const Choice choice = choose(evidence, target, dmarc);
    return std::string(name_of(choice.option)) + (choice.risk_pool ? " risk" : "") +
           (choice.tag ? " tag" : "") + (choice.hold ? " hold" : "");
  }

  static Evidence by_spf_only(DmarcPolicy policy) {
    Evidence known = house::evidence();
    known.verdicts.dkim.clear();
    known.verdicts.dmarc.dkim_aligned = false;
    known.verdicts.dmarc.policy = policy;
    return known;
  }

  Policy config_ = house::policy();
};

/// MAIL FROM was an SRS address of ours: its SPF tells who sends in our name.
TEST_F(StrategyTest, TheSpfOfAnotherDomainProvesNoSender) {
  const Strategy strategy = house::strategy(config_);
  Evidence known = house::spoof("author.example", DmarcPolicy::None);
  known.sender = mail::ReversePath(house::mailbox("ann@Sender.example"));
  known.verdicts.mail_from = {.result = SpfResult::Pass, .domain = "srs.relay.example"};
  EXPECT_FALSE(is_sender_proven(strategy.identities(), known));
  known.verdicts.mail_from.domain = "sender.example";
  EXPECT_TRUE(is_sender_proven(strategy.identities(), known));
  known.sender = mail::ReversePath::null();
  known.verdicts.helo = {.result = SpfResult::Pass, .domain = "mx.sender.example"};
  EXPECT_TRUE(is_sender_proven(strategy.identities(), known));
}

// The table of strategy.hpp, row by row.

TEST_F(StrategyTest, SignedMailGoesUntouchedUnderSrsAndIsSealedWhereThatIsWanted) {
  EXPECT_EQ(way(house::evidence()), "srs");
  EXPECT_EQ(way(house::evidence(), "mail.believes.example"), "srs+arc");
  EXPECT_EQ(way(house::evidence(), "plain.example"), "srs");
  EXPECT_EQ(way(house::evidence(), "keeps.example"), "keep");
  const Choice choice = choose(house::evidence());
  EXPECT_EQ(choice.signed_by, "relay.example");
  EXPECT_EQ(choice.reason, "srs: author.example proven by a signature");
}

TEST_F(StrategyTest, SpfOnlyWithoutPolicyIsSealedAndLikelyJunk) {
  const Choice choice = choose(by_spf_only(DmarcPolicy::None));
  EXPECT_EQ(choice.option, Option::SrsSealed);
  EXPECT_EQ(choice.prediction().outlook, Outlook::LikelyJunk);
  EXPECT_FALSE(choice.risk_pool);
}

/// Losing good mail is worse than a bounce to a sender who is proven.
/// RFC 9989 §4.4.2: our SRS domain is of the author's organisation, which is not enough with
/// aspf=s.
TEST_F(StrategyTest, PredictsStrictAlignment) {
  Evidence near = by_spf_only(DmarcPolicy::Reject);
  near.sender = mail::ReversePath(house::mailbox("bounce@office.relay.example"));
  near.verdicts.mail_from.domain = "office.relay.example";
  near.verdicts.dmarc.from_domain = "office.relay.example";
  near.signing_domain.clear();  // relay.example does not sign what it could be taken for
  EXPECT_EQ(choose(near).prediction().dmarc, mail::DmarcResult::Pass);
  near.verdicts.dmarc.spf_strict = true;
  const Choice strict = choose(near);
  EXPECT_FALSE(strict.prediction().spf_aligned);
  EXPECT_EQ(strict.prediction().dmarc, mail::DmarcResult::Fail);
  EXPECT_EQ(strict.prediction().outlook, Outlook::LikelyRejected);
  EXPECT_EQ(strict.option, Option::SrsSealed);
}

TEST_F(StrategyTest, SpfOnlyWithPolicyIsForwardedAndSaysWhatWillHappen) {
  for (const auto policy : {DmarcPolicy::Quarantine, DmarcPolicy::Reject}) {
    EXPECT_EQ(way(by_spf_only(policy)), "srs+arc");
    EXPECT_EQ(way(by_spf_only(policy), "plain.example"), "srs");
  }
  EXPECT_EQ(choose(by_spf_only(DmarcPolicy::Reject)).reason,
            "srs+arc: author.example proven by SPF only, p=reject; likely rejected at the target");
}

TEST_F(StrategyTest, SpfOnlyGetsANewAuthorWhereThatIsOptedInAndOurSealIsNotTrusted) {
  const DmarcSettings opted{.rewrite_from = RewriteFrom::WhenNeeded};
  const Choice choice = choose(by_spf_only(DmarcPolicy::Reject), "target.example", opted);
  EXPECT_EQ(choice.option, Option::NewAuthor);
  EXPECT_EQ(choice.prediction().dmarc, mail::DmarcResult::Pass);
  EXPECT_EQ(choice.signed_by, "rewritten.example");
  EXPECT_EQ(way(by_spf_only(DmarcPolicy::Reject), "a.believes.example", opted), "srs+arc");
  EXPECT_EQ(way(by_spf_only(DmarcPolicy::None), "target.example", opted), "srs+arc");
  EXPECT_EQ(way(house::evidence(), "target.example", opted), "srs");
  EXPECT_EQ(way(house::spoof("author.example", DmarcPolicy::None), "target.example", opted),
            "srs risk");
}

/// A forwarder must not vouch for a spoof.
TEST_F(StrategyTest, RefusesWhatFailsAPolicyOfRejectAndNamesDomainAndCause) {
  const Choice choice = choose(house::spoof("author.example", DmarcPolicy::Reject));
  ASSERT_TRUE(choice.refusal);
  EXPECT_EQ(choice.refusal->code, 550);
  EXPECT_EQ(choice.refusal->status, (mail::EnhancedStatus{5, 7, 1}));
  EXPECT_EQ(choice.refusal->text,
            "Message fails DMARC of author.example, whose policy is reject (SPF fail, DKIM none)");
}

TEST_F(StrategyTest, WhatFailsOtherPoliciesLeavesApartFromTheRest) {
  const Evidence quarantine = house::spoof("author.example", DmarcPolicy::Quarantine);
  const Evidence none = house::spoof("author.example", DmarcPolicy::None);
  const DmarcSettings tag{.quarantine = Quarantine::Tag};
  EXPECT_EQ(way(quarantine), "srs risk");
  EXPECT_EQ(way(quarantine, "target.example", tag), "srs tag");
  EXPECT_EQ(way(none), "srs risk");
  EXPECT_EQ(way(none, "target.example", tag), "srs risk");
}

TEST_F(StrategyTest, TheOperatorMayForwardOrHoldWhatFails) {
  const DmarcSettings forward{.on_dmarc_fail = OnDmarcFail::Forward};
  const DmarcSettings hold{.on_dmarc_fail = OnDmarcFail::Hold};
  for (const char* author : {"author.example", "hosted.example"}) {
    const Evidence spoof = house::spoof(author, DmarcPolicy::Reject);
    EXPECT_EQ(way(spoof, "target.example", forward), "srs risk");
    EXPECT_EQ(way(spoof, "target.example", hold), "srs risk hold");
  }
  const Evidence harmless = house::spoof("author.example", DmarcPolicy::None);
  EXPECT_EQ(way(harmless, "target.example", hold), "srs risk") << "nobody asked for it";
}

/// A policy of a hosted domain is applied here as if it were reject. A hosted domain without a
/// policy may send by web forms and through other mail services, as small customers do.
TEST_F(StrategyTest, RefusesUnprovenMailOfAHostedDomainThatAsksForIt) {
  for (const char* author : {"hosted.example", "sub.hosted.example"}) {
    for (const auto policy : {DmarcPolicy::Quarantine, DmarcPolicy::Reject}) {
      const Choice choice = choose(house::spoof(author, policy));
      ASSERT_TRUE(choice.refusal) << author;
      EXPECT_THAT(choice.refusal->text, HasSubstr("a domain served here"));
    }
    Evidence known = house::spoof(author, DmarcPolicy::None);
    known.sender = mail::ReversePath(house::mailbox("x@mailer.example"));
    EXPECT_EQ(way(known), "srs risk");
    EXPECT_EQ(choose(known).signed_by, "");
  }
}

/// With an SRS domain of the author's organisation, such mail has only its own sender left.
TEST_F(StrategyTest, HostedAuthorsWhoAskForNothingKeepAForeignSenderWhereSrsWouldLendAName) {
  config_.srs.domain = house::domain("srs.hosted.example");
  Evidence known = house::spoof("hosted.example", DmarcPolicy::None);
  known.sender = mail::ReversePath(house::mailbox("x@mailer.example"));
  EXPECT_EQ(way(known), "keep risk");
  known.sender = mail::ReversePath::null();
  EXPECT_EQ(way(known), "keep risk") << "our HELO is of another organisation";
  config_.hostname = "mx.hosted.example";
  EXPECT_TRUE(choose(known).refusal);
}

TEST_F(StrategyTest, AuthorsWithoutRecordAreProvenByAnAlignedIdentifier) {
  Evidence known = house::spoof("hosted.example", DmarcPolicy::None);
  known.verdicts.dmarc.result = mail::DmarcResult::None;
  EXPECT_EQ(way(known), "srs risk");
  known.verdicts.mail_from.result = SpfResult::TempError;
  EXPECT_EQ(way(known), "srs risk") << "nobody asked to wait for it";
  known.verdicts.mail_from.result = SpfResult::Pass;
  EXPECT_EQ(way(known), "srs+arc");
  known.verdicts.mail_from.domain = "mailer.example";
  EXPECT_EQ(way(known), "srs risk") << "SPF of others proves nothing";
  known.verdicts.dkim = {{.result = mail::DkimResult::Pass, .domain = "mail.hosted.example"}};
  EXPECT_EQ(way(known), "srs");
}

/// The author's very domain is aligned under every record, and proven where there is none.
TEST_F(StrategyTest, AnIdenticalDomainNeedsNoPolicy) {
  Evidence known = house::evidence();
  known.verdicts.dmarc.result = mail::DmarcResult::TempError;
  EXPECT_EQ(way(known), "srs");
  EXPECT_EQ(choose(known).prediction().outlook, Outlook::Good);
  known.verdicts.dmarc.dkim_aligned = false;
  EXPECT_EQ(way(known), "srs+arc") << "by SPF";
  known.verdicts.dmarc.spf_aligned = false;
  EXPECT_EQ(choose(known).refusal->code, 451);
}

/// Each named domain is asked, and the worst decides.
TEST_F(StrategyTest, SeveralAuthorsAreJudgedByTheWorst) {
  Evidence known = house::spoof("author.example", DmarcPolicy::None);
  known.sender = mail::ReversePath(house::mailbox("x@mailer.example"));
  known.verdicts.dmarc.from_domain.clear();
  known.verdicts.dmarc.several_from = {"author.example", "other.example"};
  EXPECT_EQ(way(known), "srs risk");
  EXPECT_THAT(choose(known).reason, HasSubstr("author.example and other.example not proven"));
  known.verdicts.dmarc.policy = DmarcPolicy::Reject;
  EXPECT_EQ(choose(known).refusal->code, 550);
  known.verdicts.dmarc.policy = DmarcPolicy::None;
  known.verdicts.dmarc.several_from = {"author.example", "sub.relay.example"};
  EXPECT_EQ(way(known), "keep risk") << "SRS could be aligned with one of them";
}

/// A notice of a mail system whose From names nobody.
TEST_F(StrategyTest, TheNullSenderMayNameNobody) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.dmarc = {
      .result = mail::DmarcResult::PermError, .policy = DmarcPolicy::Reject, .names_nobody = true};
  known.sender = mail::ReversePath::null();
  EXPECT_EQ(way(known), "keep risk");
  EXPECT_EQ(choose(known).signed_by, "");
  // Unsealed as well, whatever the target wants and whatever sealed it before.
  EXPECT_EQ(way(known, "a.believes.example"), "keep risk");
  known.verdicts.arc = {.result = ArcResult::Pass, .instances = 1, .last_sealer = "lists.example"};
  EXPECT_EQ(way(known), "keep risk");
  known.sender = mail::ReversePath(house::mailbox("x@mailer.example"));
  EXPECT_EQ(choose(known).refusal->code, 550);
  known.sender = mail::ReversePath::null();
  known.verdicts.dmarc.names_nobody = false;  // several From fields: the author is unknown
  EXPECT_EQ(choose(known).refusal->code, 550);
}

/// The tag of the SRS address says that it may come back, not its From.
TEST_F(StrategyTest, ABounceNeedsNoProofAndGetsNoNameOfOurs) {
  Evidence known = house::spoof("mx.target.example", DmarcPolicy::Reject);
  known.sender = mail::ReversePath::null();
  for (const auto result : {mail::DmarcResult::Fail, mail::DmarcResult::TempError,
                            mail::DmarcResult::None, mail::DmarcResult::PermError}) {
    known.verdicts.dmarc.result = result;
    const Choice choice = house::strategy(config_).choose_bounce(known);
    EXPECT_FALSE(choice.refusal);
    EXPECT_TRUE(choice.risk_pool);
    EXPECT_FALSE(choice.hold);
    EXPECT_EQ(choice.option, Option::Keep);
    EXPECT_EQ(choice.signed_by, "");
  }
  known.verdicts.helo = {.result = SpfResult::Pass, .domain = "mx.target.example"};
  EXPECT_FALSE(house::strategy(config_).choose_bounce(known).risk_pool);
  known.verdicts.dmarc.from_domain = "hosted.example";
  EXPECT_FALSE(house::strategy(config_).choose_bounce(known).refusal);
  config_.hostname = "mx.hosted.example";
  EXPECT_TRUE(house::strategy(config_).choose_bounce(known).refusal)
      << "HELO could be taken for the author's";
}

TEST_F(StrategyTest, TheNullSenderStaysNull) {
  Evidence known = house::spoof("author.example", DmarcPolicy::None);
  known.sender = mail::ReversePath::null();
  EXPECT_EQ(way(known), "keep risk");
  // HELO is the identity then (RFC 7208 §2.4): ours, and aligned with this author.
  known.verdicts.dmarc.from_domain = "relay.example";
  const Choice choice = choose(known);
  ASSERT_TRUE(choice.refusal);
  EXPECT_EQ(choice.refusal->text,
            "Nothing proves relay.example (SPF none, DKIM none), and forwarding would");
}

/// t=y asks to be seen as unsigned (RFC 6376 §3.6.1), which refuses no mail and lends no name.
TEST_F(StrategyTest, AKeyInTestingRefusesNothingAndLendsNothing) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.mail_from.result = SpfResult::None;
  known.verdicts.dkim = {
      {.result = mail::DkimResult::Pass, .domain = "author.example", .testing = true}};
  EXPECT_EQ(
      choose(known).refusal->text,
      "Message fails DMARC of author.example, whose policy is reject (SPF none, DKIM pass for "
      "another domain)")
      << "it is aligned when DMARC says so: adkim=s";
  known.verdicts.dmarc.reserved_aligned = true;
  for (const auto policy : {DmarcPolicy::Reject, DmarcPolicy::Quarantine, DmarcPolicy::None}) {
    known.verdicts.dmarc.policy = policy;
    EXPECT_EQ(way(known), "srs risk");
    EXPECT_EQ(way(known, "target.example", {.quarantine = Quarantine::Tag}), "srs risk");
    EXPECT_EQ(way(known, "target.example", {.on_dmarc_fail = OnDmarcFail::Hold}), "srs risk");
    EXPECT_EQ(way(known, "target.example", {.rewrite_from = RewriteFrom::WhenNeeded}), "srs risk");
  }
  known.verdicts.dmarc.policy = DmarcPolicy::Reject;
  const Choice choice = choose(known);
  EXPECT_EQ(choice.reason, "srs, risk pool: author.example signed with a key in testing, p=reject");
  EXPECT_EQ(choice.signed_by, "");
  EXPECT_EQ(choice.prediction().dmarc, mail::DmarcResult::Pass) << "others count it";
  EXPECT_EQ(choice.prediction().outlook, Outlook::Good);
  known.verdicts.dmarc.result = mail::DmarcResult::TempError;
  EXPECT_EQ(choose(known).refusal->code, 451) << "it may turn out to be proven";
}

/// The author's SPF asks for more than we look up: no policy is applied, no name is lent.
TEST_F(StrategyTest, WhatALimitOfOursLeftUnfinishedIsNotRefused) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.mail_from = {
      .result = SpfResult::PermError, .domain = "author.example", .unfinished = true};
  EXPECT_EQ(choose(known).refusal->code, 550);
  known.verdicts.dmarc.unfinished = true;
  EXPECT_EQ(way(known), "srs risk");
  const Choice choice = choose(known);
  EXPECT_EQ(choice.signed_by, "");
  EXPECT_THAT(choice.reason, HasSubstr("left unfinished at our limit of lookups"));
  // The same is said where there is no policy.
  Evidence free = known;
  free.verdicts.dmarc.result = mail::DmarcResult::None;
  EXPECT_EQ(way(free), "srs risk");
  EXPECT_THAT(choose(free).reason, HasSubstr("no DMARC record; SPF permerror, DKIM none, left "
                                             "unfinished at our limit of lookups"));
  // If our name could vouch for it, it does not leave.
  known.verdicts.dmarc.from_domain = "relay.example";
  known.sender = mail::ReversePath::null();
  EXPECT_EQ(choose(known).refusal->code, 550);
}

/// As with a key in testing: only the signer can have written the date.
TEST_F(StrategyTest, ASignatureDatedAheadRefusesNothingAndLendsNothing) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.dkim = {
      {.result = mail::DkimResult::Pass, .domain = "author.example", .dated_ahead = true}};
  known.verdicts.dmarc.reserved_aligned = true;
  const Choice choice = choose(known);
  EXPECT_EQ(way(known), "srs risk");
  EXPECT_EQ(choice.signed_by, "");
  EXPECT_EQ(choice.reason,
            "srs, risk pool: author.example signed with a date in the future, p=reject");
  known.verdicts.dmarc = {.result = mail::DmarcResult::None, .from_domain = "author.example"};
  EXPECT_EQ(way(known), "srs risk");
  EXPECT_THAT(choose(known).reason, HasSubstr("with a date in the future, no DMARC record"));
}

TEST_F(StrategyTest, AKeyInTestingCountsWithoutARecordAndForOurOwn) {
  Evidence known = house::spoof("hosted.example", DmarcPolicy::Reject);
  known.sender = mail::ReversePath(house::mailbox("b@mailer.example"));
  known.verdicts.mail_from = {.result = SpfResult::Pass, .domain = "mailer.example"};
  known.verdicts.dkim = {
      {.result = mail::DkimResult::Pass, .domain = "hosted.example", .testing = true}};
  EXPECT_EQ(choose(known).refusal->code, 550);
  known.verdicts.dmarc.reserved_aligned = true;
  EXPECT_EQ(way(known), "srs risk");
  known.verdicts.dmarc = {.result = mail::DmarcResult::None, .from_domain = "hosted.example"};
  EXPECT_EQ(way(known), "srs risk");
  EXPECT_THAT(choose(known).reason, HasSubstr("signed with a key in testing, no DMARC record"));
  known.verdicts.dkim.front().domain = "mailer.example";
  EXPECT_THAT(choose(known).reason, HasSubstr("not proven"));
  // Where only a name of ours is left that could vouch for it, it does not leave.
  known.sender = mail::ReversePath::null();
  known.verdicts.dmarc.from_domain = "relay.example";
  known.verdicts.dkim.front().domain = "relay.example";
  EXPECT_EQ(choose(known).refusal->text,
            "Nothing proves relay.example (SPF none, DKIM pass, but with a key in testing), and "
            "forwarding would");
}

TEST_F(StrategyTest, PutsOffWhatDnsCannotSay) {
  Evidence known = house::spoof("author.example", DmarcPolicy::None);
  known.verdicts.dmarc.result = mail::DmarcResult::TempError;
  EXPECT_EQ(choose(known).refusal->code, 451);
  EXPECT_EQ(choose(known, "target.example", {.on_dmarc_fail = OnDmarcFail::Hold}).refusal->code,
            451);
}

/// With on_dmarc_fail = "forward" everything is forwarded, under no name of ours, even if the DNS
/// is dead.
TEST_F(StrategyTest, WhoForwardsWhatFailsNeedNotWaitForTheDns) {
  const DmarcSettings forward{.on_dmarc_fail = OnDmarcFail::Forward};
  for (const char* author : {"author.example", "hosted.example"}) {
    for (const auto policy : {DmarcPolicy::None, DmarcPolicy::Reject}) {
      Evidence known = house::spoof(author, policy);
      known.verdicts.dmarc.result = mail::DmarcResult::TempError;
      EXPECT_EQ(way(known, "target.example", forward), "srs risk");
      EXPECT_EQ(choose(known, "target.example", forward).signed_by, "");
    }
  }
  // If only a name is left that could vouch for it, the message is put off.
  Evidence known = house::spoof("relay.example", DmarcPolicy::Reject);
  known.verdicts.dmarc.result = mail::DmarcResult::TempError;
  known.sender = mail::ReversePath::null();
  const Choice choice = choose(known, "target.example", forward);
  EXPECT_EQ(choice.refusal->code, 451);
}

/// A From that two readers may understand differently is treated as p=reject.
TEST_F(StrategyTest, MalformedAuthorsAreRefused) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.dmarc.result = mail::DmarcResult::PermError;
  known.verdicts.dmarc.from_domain.clear();
  EXPECT_THAT(choose(known).refusal->text, HasSubstr("does not name an author"));
  // The author is unknown, so the only name left is one that does not authorise us.
  const DmarcSettings forward{.on_dmarc_fail = OnDmarcFail::Forward};
  EXPECT_EQ(way(known, "target.example", forward), "keep risk");
  EXPECT_EQ(choose(known, "target.example", forward).signed_by, "");
  known.egress_spf.reset();
  EXPECT_TRUE(choose(known, "target.example", forward).refusal);
}

TEST_F(StrategyTest, SeveralAuthorsAreTakenWhenEachIsProven) {
  Evidence known = house::evidence();
  known.verdicts.dmarc.from_domain.clear();
  EXPECT_EQ(way(known), "srs");
  known.verdicts.dmarc.dkim_aligned = false;
  known.verdicts.dmarc.spf_aligned = false;  // one by SPF, the other by DKIM
  EXPECT_EQ(way(known, "target.example", {.rewrite_from = RewriteFrom::WhenNeeded}), "srs+arc");
  known.verdicts.dmarc.result = mail::DmarcResult::None;
  EXPECT_EQ(choose(known).refusal->code, 550);
}

/// Anybody can write a chain that says "pass".
TEST_F(StrategyTest, OnlyATrustedSealerThatSawItPassSoftensAFailure) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.arc = {.result = ArcResult::Pass, .instances = 2, .last_sealer = "lists.example"};
  known.sealer_saw_pass = true;
  EXPECT_EQ(way(known), "srs+arc risk");
  EXPECT_THAT(choose(known).reason, HasSubstr("lists.example sealed it as passing"));
  const DmarcSettings tag{.quarantine = Quarantine::Tag};
  EXPECT_EQ(way(known, "target.example", tag), "srs+arc tag");
  for (int broken = 0; broken < 4; ++broken) {
    Evidence other = known;
    if (broken == 0) other.sealer_saw_pass = false;
    if (broken == 1) other.verdicts.arc.last_sealer = "evil.example";
    if (broken == 2) other.verdicts.arc.result = ArcResult::Fail;
    if (broken == 3) other.verdicts.dmarc.from_domain = "hosted.example";
    EXPECT_TRUE(choose(other).refusal) << broken;
  }
}

/// A failing DNS of the sealer puts the message off, but only if the seal could help.
TEST_F(StrategyTest, ATrustedSealThatCannotBeCheckedNowIsAskedForLater) {
  Evidence known = house::spoof("author.example", DmarcPolicy::Reject);
  known.verdicts.arc = {
      .result = ArcResult::TempError, .instances = 2, .last_sealer = "lists.example"};
  known.sealer_saw_pass = true;
  EXPECT_EQ(choose(known).refusal->code, 451);
  EXPECT_THAT(choose(known).reason, HasSubstr("the seal of lists.example cannot be checked now"));
  for (int broken = 0; broken < 5; ++broken) {
    Evidence other = known;
    if (broken == 0) other.sealer_saw_pass = false;
    if (broken == 1) other.verdicts.arc.last_sealer = "evil.example";
    if (broken == 2) other.verdicts.arc.result = ArcResult::Fail;
    if (broken == 3) other.verdicts.dmarc.from_domain = "hosted.example";
    // No name is left for it in any case.
    if (broken == 4) {
      other.verdicts.dmarc.from_domain = "srs.relay.example";
      other.sender = mail::ReversePath(house::mailbox("x@srs.relay.example"));
    }
    EXPECT_EQ(choose(other).refusal->code, 550) << broken;
  }
  // If the seal is not needed, the message is not put off for it.
  known.verdicts.dmarc.policy = DmarcPolicy::None;
  EXPECT_FALSE(choose(known).refusal);
  known.verdicts.dmarc.policy = DmarcPolicy::Reject;
  EXPECT_FALSE(choose(known, "target.example", {.on_dmarc_fail = OnDmarcFail::Hold}).refusal);
}

TEST_F(StrategyTest, SealsOnlyWhatCanBeSealed) {
  Evidence known = by_spf_only(DmarcPolicy::None);
  known.verdicts.arc = {.result = ArcResult::Pass, .instances = 49};
  EXPECT_EQ(way(known), "srs+arc");
  known.verdicts.arc.instances = 50;
  EXPECT_EQ(way(known), "srs");
  known.verdicts.arc = {.result = ArcResult::TempError, .instances = 1};
  EXPECT_EQ(way(known, "a.believes.example"), "srs");
  known.verdicts.arc.result = ArcResult::Fail;
  EXPECT_EQ(way(known), "srs") << "a chain that failed convinces nobody";
  EXPECT_EQ(way(known, "a.believes.example"), "srs+arc") << "once, with cv=fail";
  known.verdicts.arc = {};
  config_.arc.sealer.reset();
  EXPECT_EQ(way(known), "srs");
  config_ = house::policy();
  known = house::evidence();
  known.verdicts.arc.result = ArcResult::Pass;
  EXPECT_EQ(way(known), "srs+arc") << "keeps an existing chain alive";
  config_.arc.seal = SealWhen::Never;
  EXPECT_EQ(way(known), "srs");
  EXPECT_EQ(way(known, "a.believes.example"), "srs+arc");
}

/// SPF passes anyhow, so bounces need not come through us.
TEST_F(StrategyTest, KeepsSendersWhoseSpfAuthorisesUs) {
  Evidence known = house::evidence();
  known.egress_spf = SpfResult::Pass;
  EXPECT_EQ(way(known), "keep");
  for (const std::optional<SpfResult> other :
       {std::optional<SpfResult>(), std::optional(SpfResult::TempError),
        std::optional(SpfResult::SoftFail)}) {
    known.egress_spf = other;
    EXPECT_EQ(way(known), "srs");
  }
  // A sender that was not proven gets no new SPF pass.
  known = house::evidence();
  known.egress_spf = SpfResult::Pass;
  known.sender = mail::ReversePath(house::mailbox("x@mailer.example"));
  known.verdicts.mail_from = {.result = SpfResult::Fail, .domain = "mailer.example"};
  EXPECT_EQ(way(known), "srs");
}

/// Bounces come to us in either way; what SPF says at the next hop makes the difference.
TEST_F(StrategyTest, KeepsASenderOfOursOnlyWhereHisDomainLetsUsSend) {
  Evidence known = house::evidence();
  known.sender = mail::ReversePath(house::mailbox("ann@hosted.example"));
  known.verdicts.mail_from = {.result = SpfResult::Pass, .domain = "hosted.example"};
  EXPECT_EQ(way(known), "srs");
  known.egress_spf.reset();
  EXPECT_EQ(way(known), "srs");
  known.egress_spf = SpfResult::Pass;
  EXPECT_EQ(way(known), "keep");
  known.verdicts.mail_from.result = SpfResult::Fail;
  EXPECT_EQ(way(known), "srs");
}

/// Opt-in: mail that failed SPF gets no pass in our name.
TEST_F(StrategyTest, LeavesFailedSendersAlone) {
  const Evidence known = house::spoof("author.example", DmarcPolicy::None);
  EXPECT_EQ(way(known), "srs risk");
  config_.risk.sender = KeepOrSrs::Keep;
  EXPECT_EQ(way(known), "keep risk");
  Evidence authorised = known;  // the author's SPF names us, as with shared clouds
  authorised.egress_spf = SpfResult::Pass;
  EXPECT_EQ(way(authorised), "srs risk");
  Evidence unknown = known;
  unknown.egress_spf.reset();
  EXPECT_EQ(way(unknown), "srs risk");
}

/// Mail of the risk pool stays apart from our good names.
TEST_F(StrategyTest, SignsNothingThatIsNotProven) {
  Evidence known = house::spoof("author.example", DmarcPolicy::None);
  known.verdicts.dmarc.result = mail::DmarcResult::None;
  EXPECT_EQ(choose(known).signed_by, "");
  known = house::evidence();
  known.signing_domain = "mail.author.example";
  EXPECT_EQ(choose(known).signed_by, "mail.author.example");
}

/// Not in any name of ours, whatever the policy is and whatever is done with it; the seal is
/// another matter, it says that DMARC failed.
TEST_F(StrategyTest, SignsNothingThatFailed) {
  for (const auto policy : {DmarcPolicy::None, DmarcPolicy::Quarantine, DmarcPolicy::Reject}) {
    for (const auto on_fail : {OnDmarcFail::Policy, OnDmarcFail::Forward, OnDmarcFail::Hold}) {
      const DmarcSettings dmarc{.on_dmarc_fail = on_fail, .rewrite_from = RewriteFrom::WhenNeeded};
      const Evidence known = house::spoof("author.example", policy);
      for (const char* target : {"target.example", "mail.believes.example", "keeps.example"}) {
        const Choice choice = choose(known, target, dmarc);
        EXPECT_EQ(choice.signed_by, "") << choice.reason;
        for (const Considered& one : choice.considered) EXPECT_EQ(one.prediction.signed_by, "");
      }
    }
  }
  const Evidence known = house::spoof("author.example", DmarcPolicy::None);
  EXPECT_EQ(way(known, "mail.believes.example"), "srs+arc risk");
}

TEST_F(StrategyTest, NoNameLeftMeansRefusal) {
  config_.srs.domain = house::domain("srs.hosted.example");
  const DmarcSettings forward{.on_dmarc_fail = OnDmarcFail::Forward};
  const Evidence known = house::spoof("hosted.example", DmarcPolicy::Reject);
  EXPECT_THAT(choose(known, "target.example", forward).refusal->text,
              HasSubstr("and forwarding would"));
}

TEST_F(StrategyTest, TellsEveryOptionWithItsPrediction) {
  const Choice choice = choose(by_spf_only(DmarcPolicy::Reject));
  ASSERT_EQ(choice.considered.size(), 6U);
  std::string told;
  for (const Considered& one : choice.considered) {
    told += std::string(name_of(one.option)) + '|' +
            std::string(mail::name_of(one.prediction.dmarc)) + '|' + one.objection + '\n';
  }
  EXPECT_EQ(told,
            "keep|fail|\n"
            "keep+arc|fail|\n"
            "srs|fail|\n"
            "srs+arc|fail|\n"
            "new author|pass|rewrite_from is \"never\"\n"
            "refuse|none|\n");
}

TEST(Identities, KnowWhoCouldBeTakenForWhom) {
  const auto with_list = *Identities::make(house::policy(), house::organisation_of);
  EXPECT_TRUE(with_list.could_align("srs.relay.example", "www.relay.example"));
  EXPECT_TRUE(with_list.could_align("relay.example", ""));
  EXPECT_FALSE(with_list.could_align("", "relay.example"));
  EXPECT_FALSE(with_list.could_align("relay.example", "other.example"));
  EXPECT_FALSE(with_list.could_align("a.co.example", "b.co.example"));
  EXPECT_FALSE(with_list.same_organisation("a.pages.example", "b.pages.example"));
  EXPECT_TRUE(with_list.could_align("a.pages.example", "b.pages.example"))
      << "a tree walk finds what pages.example publishes";
  EXPECT_TRUE(with_list.could_align("b.co.example", "co.example")) << "another tree, another list";
  const auto without = *Identities::make(house::policy(), {});
  EXPECT_TRUE(without.could_align("a.co.example", "b.co.example"));
  EXPECT_FALSE(without.same_organisation("a.co.example", "b.co.example"));
}

TEST(Identities, RefuseARewriteDomainThatSpeaksForOthers) {
  auto config = house::policy();
  config.rewrite_domain = house::domain("b.hosted.example");
  config.domains.front().name = house::domain("a.hosted.example");
  const auto brothers = Identities::make(config, house::organisation_of);
  ASSERT_FALSE(brothers);
  EXPECT_THAT(brothers.error(), HasSubstr("belongs to the organisation of a.hosted.example"));
  config = house::policy();
  config.dkim.pop_back();
  const auto unsigned_there = Identities::make(config, house::organisation_of);
  ASSERT_FALSE(unsigned_there);
  EXPECT_THAT(unsigned_there.error(), HasSubstr("would fail DMARC"));
}

}  // namespace
}  // namespace relay::forward
