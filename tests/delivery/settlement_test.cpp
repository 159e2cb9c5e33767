#include "relay/delivery/settlement.hpp"

#include <gtest/gtest.h>

#include "tests/support/mailbox.hpp"

namespace relay::delivery {
namespace {

using mail::OutcomeKind;
using mail::RecipientState;
using std::chrono::hours;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

using support::mailbox;

mail::Outcome outcome(OutcomeKind kind) {
  mail::Outcome made;
  made.kind = kind;
  made.attempt.at = kNow;
  made.attempt.code = kind == OutcomeKind::Delivered ? 250
                      : kind == OutcomeKind::Failed  ? 550
                                                     : 450;
  return made;
}

/// A message with `copies` copies, `age` old, each tried an hour ago.
Consignment consignment(std::size_t copies, std::chrono::milliseconds age,
                        const std::string& sender = "ann@sender.example") {
  auto queued = std::make_shared<mail::QueuedMessage>();
  queued->message.id = mail::MessageId::generate(kNow);
  queued->received_at = kNow - age;
  if (!sender.empty()) queued->message.reverse_path = mail::ReversePath(mailbox(sender));
  Consignment made;
  for (std::size_t i = 0; i < copies; ++i) {
    mail::QueuedRecipient copy{.route = {.index = static_cast<std::uint16_t>(i),
                                         .original = mail::ForwardPath(mailbox("info@fwd.example")),
                                         .target = mailbox("t" + std::to_string(i) + "@x.example"),
                                         .reverse_path = mail::ReversePath::null()},
                               .attempts = 3};
    copy.next_due = kNow;
    copy.last.at = kNow - hours(1);
    queued->recipients.push_back(copy);
    made.copies.push_back(i);
  }
  queued->message.sender_authenticated = true;
  made.queued = queued;
  made.policy = std::make_shared<const Policy>(*mail::Domain::parse("mx.fwd.example"));
  return made;
}

Settlement settled(const Consignment& given, const std::vector<OutcomeKind>& kinds) {
  std::vector<CopyResult> results;
  for (const auto kind : kinds) results.push_back({.outcome = outcome(kind)});
  return settle(given, results, kNow, ClockTrust{kNow - hours(1000), {}}, 0.5);
}

/// With it the queue sees whether the operator has changed the copy meanwhile.
TEST(Settlement, SaysFromWhatTheAttemptBegan) {
  const auto given = consignment(1, hours(1));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->recipients[0].changes = 7;
  const auto made =
      settled({.queued = queued, .copies = {0}, .policy = given.policy}, {OutcomeKind::Deferred});
  EXPECT_EQ(made.update.copies.at(0).attempts_before, 3U);
  EXPECT_EQ(made.update.copies.at(0).changes_before, 7U);
}

/// Whether the sender was told of a delay, or may be, makes no difference to a fallback.
TEST(Settlement, SaysWhenAFallbackIsToTakeOver) {
  const auto overdue = [](std::chrono::hours age, OutcomeKind kind, bool warned = false) {
    auto given = consignment(1, age);
    auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
    queued->recipients[0].warned = warned;
    queued->message.sender_authenticated = false;
    given.queued = queued;
    return settled(given, {kind}).update.copies[0].overdue;
  };
  EXPECT_FALSE(overdue(hours(3), OutcomeKind::Deferred));
  EXPECT_TRUE(overdue(hours(4), OutcomeKind::Deferred));
  EXPECT_TRUE(overdue(hours(5), OutcomeKind::Deferred, true));
  EXPECT_FALSE(overdue(hours(5), OutcomeKind::Delivered));
  EXPECT_FALSE(overdue(hours(24 * 30), OutcomeKind::Deferred)) << "that is a failure";
}

TEST(Settlement, JudgesEachCopyForItself) {
  const auto given = consignment(3, hours(1));
  const auto made =
      settled(given, {OutcomeKind::Delivered, OutcomeKind::Deferred, OutcomeKind::Failed});
  ASSERT_EQ(made.update.copies.size(), 3U);
  EXPECT_EQ(made.update.copies[0].state, RecipientState::Delivered);
  EXPECT_EQ(made.update.copies[0].end, mail::End::Delivered);
  EXPECT_EQ(made.update.copies[1].state, RecipientState::Waiting);
  EXPECT_GT(made.update.copies[1].retry_after.count(), 0);
  EXPECT_EQ(made.update.copies[2].state, RecipientState::Failed);
  EXPECT_EQ(made.update.copies[2].end, mail::End::Refused);
  for (const auto& update : made.update.copies) EXPECT_EQ(update.attempts_before, 3U);
  EXPECT_EQ(made.update.copies[0].notify, ports::Notify::Nobody);
  EXPECT_EQ(made.update.copies[1].notify, ports::Notify::Nobody);
  EXPECT_EQ(made.update.copies[2].notify, ports::Notify::OfFailure)
      << "the failure and the debt of its DSN are one update";
}

/// An attempt that ended early has no outcome for copies that it did not reach.
TEST(Settlement, ACopyThatWasNotTriedIsNotTouched) {
  const auto given = consignment(3, hours(1));
  std::vector<CopyResult> results(3);
  results[1].outcome = outcome(OutcomeKind::Delivered);
  const auto made = settle(given, results, kNow, ClockTrust{kNow - hours(1000), {}}, 0.5);
  ASSERT_EQ(made.update.copies.size(), 1U);
  EXPECT_EQ(made.update.copies[0].index, 1U);
  EXPECT_EQ(made.copies[0].at, 1U);
}

TEST(Settlement, KeepsWhatEachHostSaid) {
  const auto given = consignment(1, hours(1));
  CopyResult result{.outcome = outcome(OutcomeKind::Delivered)};
  result.before.push_back(outcome(OutcomeKind::Deferred).attempt);
  const auto made = settle(given, {result}, kNow, ClockTrust{kNow - hours(1000), {}}, 0.5);
  ASSERT_EQ(made.update.copies[0].attempts.size(), 2U);
  EXPECT_EQ(made.update.copies[0].attempts[0].code, 450);
  EXPECT_EQ(made.update.copies[0].attempts[1].code, 250) << "the last decides";
}

TEST(Settlement, AnExpiredCopyFails) {
  const auto made = settled(consignment(1, hours(121)), {OutcomeKind::Deferred});
  EXPECT_EQ(made.update.copies[0].state, RecipientState::Failed);
  EXPECT_EQ(made.update.copies[0].end, mail::End::Expired);
  EXPECT_EQ(made.update.copies[0].notify, ports::Notify::OfFailure);
  EXPECT_EQ(made.copies[0].kind, OutcomeKind::Failed);
}

TEST(Settlement, TheNullSenderIsToldNothing) {
  const auto made = settled(consignment(1, hours(1), ""), {OutcomeKind::Failed});
  EXPECT_EQ(made.update.copies[0].state, RecipientState::Failed);
  EXPECT_EQ(made.update.copies[0].notify, ports::Notify::Nobody);
  EXPECT_EQ(made.copies[0].silence, "null sender");
}

/// No backscatter, but a line in the log.
TEST(Settlement, ASenderNobodyVouchesForIsToldNothingUnlessPolicySaysSo) {
  auto given = consignment(2, hours(5));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->message.sender_authenticated = false;
  given.queued = queued;
  const auto made = settled(given, {OutcomeKind::Failed, OutcomeKind::Deferred});
  EXPECT_EQ(made.update.copies[0].state, RecipientState::Failed);
  EXPECT_EQ(made.copies[0].silence, "sender not authenticated");
  for (const auto& copy : made.update.copies) EXPECT_EQ(copy.notify, ports::Notify::Nobody);

  auto lenient = std::make_shared<Policy>(*given.policy);
  lenient->notices.to = mail::NoticesTo::Anyone;
  given.policy = lenient;
  const auto told = settled(given, {OutcomeKind::Failed, OutcomeKind::Delivered});
  EXPECT_EQ(told.update.copies[0].notify, ports::Notify::OfFailure);
}

/// A held copy could not leave, so its time begins with its release.
TEST(Settlement, AReleasedCopyHasAllItsTime) {
  auto given = consignment(1, hours(24 * 30));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->recipients[0].released_at = kNow - hours(5);
  given.queued = queued;
  const auto made = settled(given, {OutcomeKind::Deferred});
  EXPECT_EQ(made.update.copies[0].state, RecipientState::Waiting);
  EXPECT_EQ(made.update.copies[0].notify, ports::Notify::OfDelay) << "five hours after the release";
  queued->recipients[0].released_at = kNow - hours(121);
  EXPECT_EQ(settled(given, {OutcomeKind::Deferred}).update.copies[0].end, mail::End::Expired);
}

TEST(Settlement, AReleaseCountsWhereTheClockWasSetBackBeforeIt) {
  auto given = consignment(1, -hours(24 * 10));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->recipients[0].released_at = kNow - hours(5);
  given.queued = queued;
  const auto made = settled(given, {OutcomeKind::Deferred});
  EXPECT_EQ(made.update.copies[0].notify, ports::Notify::OfDelay) << "five hours after the release";
}

TEST(Settlement, WarnsOnce) {
  auto given = consignment(1, hours(5));
  const auto first = settled(given, {OutcomeKind::Deferred});
  EXPECT_TRUE(first.update.copies[0].warned);
  EXPECT_EQ(first.update.copies[0].notify, ports::Notify::OfDelay);
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->recipients[0].warned = true;
  given.queued = queued;
  const auto second = settled(given, {OutcomeKind::Deferred});
  EXPECT_TRUE(second.update.copies[0].warned);
  EXPECT_EQ(second.update.copies[0].notify, ports::Notify::Nobody);
}

/// Once it may have been delivered, it stays marked.
TEST(Settlement, RemembersAPossibleDuplicate) {
  const auto given = consignment(1, hours(1));
  auto cut_off = outcome(OutcomeKind::Deferred);
  cut_off.possible_duplicate = true;
  EXPECT_TRUE(settle(given, {{.outcome = cut_off}}, kNow, ClockTrust{kNow - hours(1), {}}, 0.5)
                  .update.copies[0]
                  .possible_duplicate);
}

TEST(Settlement, TellsWhoTookACopyUnderASender) {
  auto given = consignment(3, hours(1));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  for (const std::size_t i : {0U, 1U}) {
    queued->recipients[i].route.reverse_path = mail::ReversePath(mailbox("s@srs.example"));
  }
  given.queued = queued;
  std::vector<CopyResult> results;
  for (const auto kind : {OutcomeKind::Delivered, OutcomeKind::Deferred, OutcomeKind::Delivered}) {
    results.push_back({.outcome = outcome(kind)});
    results.back().outcome->attempt.address = "192.0.2." + std::to_string(results.size());
  }
  const auto made = settle(given, results, kNow, ClockTrust{kNow - hours(1000), {}}, 0.5);
  std::vector<std::string> takers;
  tell_of_takers(given, made, [&](const std::string& address) { takers.push_back(address); });
  EXPECT_EQ(takers, std::vector<std::string>{"192.0.2.1"});
  tell_of_takers(given, made, {});  // nobody wants to know
}

}  // namespace
}  // namespace relay::delivery
