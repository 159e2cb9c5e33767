#include "relay/delivery/settlement.hpp"

#include <gtest/gtest.h>

#include "tests/delivery/run_task.hpp"

namespace relay::delivery {
namespace {

using mail::OutcomeKind;
using mail::RecipientState;
using std::chrono::hours;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

mail::Mailbox mailbox(const std::string& text) { return *mail::Mailbox::parse(text); }

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
  queued->message.received_at = kNow - age;
  if (!sender.empty()) queued->message.reverse_path = mail::ReversePath(mailbox(sender));
  Consignment made;
  for (std::size_t i = 0; i < copies; ++i) {
    mail::QueuedRecipient copy{{.index = static_cast<std::uint16_t>(i),
                                .original = mail::ForwardPath(mailbox("info@fwd.example")),
                                .target = mailbox("t" + std::to_string(i) + "@x.example"),
                                .reverse_path = mail::ReversePath::null()},
                               RecipientState::Waiting,
                               3,
                               kNow,
                               false,
                               false,
                               {}};
    copy.last.at = kNow - hours(1);
    queued->recipients.push_back(copy);
    made.copies.push_back(i);
  }
  queued->message.sender_authenticated = true;
  made.queued = queued;
  made.policy = std::make_shared<const Policy>(*mail::Domain::parse("mx.fwd.example"));
  return made;
}

Settlement settled(const Consignment& given, const std::vector<OutcomeKind>& kinds,
                   const std::string& header = "From: ann@sender.example\r\n") {
  std::vector<mail::Outcome> outcomes;
  for (const auto kind : kinds) outcomes.push_back(outcome(kind));
  Settlement made = settle(given, outcomes, kNow, ClockTrust{kNow - hours(1000), {}}, 0.5);
  run_task(add_bounces(made, given, header, kNow, nullptr));
  return made;
}

TEST(Settlement, JudgesEachCopyForItself) {
  const auto given = consignment(3, hours(1));
  const auto made =
      settled(given, {OutcomeKind::Delivered, OutcomeKind::Deferred, OutcomeKind::Failed});
  ASSERT_EQ(made.update.recipients.size(), 3U);
  EXPECT_EQ(made.update.recipients[0].state, RecipientState::Delivered);
  EXPECT_EQ(made.update.recipients[1].state, RecipientState::Waiting);
  EXPECT_GT(made.update.recipients[1].next_due, kNow);
  EXPECT_EQ(made.update.recipients[2].state, RecipientState::Failed);
  for (const auto& update : made.update.recipients) EXPECT_EQ(update.attempts, 4U);
  // C9: the failure and its DSN are one update; the DSN names the failed copy only.
  ASSERT_EQ(made.update.bounces.size(), 1U);
  ASSERT_EQ(made.notes.size(), 1U);
  EXPECT_EQ(made.notes[0].recipients, 1U);
  EXPECT_NE(made.update.bounces[0].last_chunk.find("550"), std::string::npos);
}

TEST(Settlement, OneDsnForAllThatFailedTogether) {
  const auto made = settled(consignment(5, hours(1)), std::vector(5, OutcomeKind::Failed));
  EXPECT_EQ(made.update.bounces.size(), 1U);
  EXPECT_EQ(made.notes[0].recipients, 5U);
}

TEST(Settlement, AnExpiredCopyFails) {
  const auto made = settled(consignment(1, hours(121)), {OutcomeKind::Deferred});
  EXPECT_EQ(made.update.recipients[0].state, RecipientState::Failed);
  EXPECT_TRUE(made.copies[0].expired);
  ASSERT_EQ(made.update.bounces.size(), 1U);
  EXPECT_NE(made.update.bounces[0].last_chunk.find("Status: 5.4.7"), std::string::npos);
}

/// C10, L-7.
TEST(Settlement, TheNullSenderIsToldNothing) {
  const auto given = consignment(1, hours(1), "");
  const auto made = settled(given, {OutcomeKind::Failed});
  EXPECT_EQ(made.update.recipients[0].state, RecipientState::Failed);
  EXPECT_TRUE(made.update.bounces.empty());
  ASSERT_EQ(made.notes.size(), 1U);
  EXPECT_EQ(made.notes[0].reason, "null sender");
  EXPECT_FALSE(wants_dsn(made, given));
}

/// L-6: no backscatter, and no silence in the log.
TEST(Settlement, ASenderNobodyVouchesForIsToldNothingUnlessPolicySaysSo) {
  auto given = consignment(2, hours(5));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->message.sender_authenticated = false;
  given.queued = queued;
  const auto made = settled(given, {OutcomeKind::Failed, OutcomeKind::Deferred});
  EXPECT_FALSE(wants_dsn(made, given));
  EXPECT_EQ(made.update.recipients[0].state, RecipientState::Failed);
  EXPECT_EQ(made.update.recipients[1].state, RecipientState::Waiting);
  EXPECT_TRUE(made.update.bounces.empty());
  ASSERT_EQ(made.notes.size(), 2U) << "one failed, one late";
  for (const auto& note : made.notes) EXPECT_EQ(note.reason, "sender not authenticated");
  EXPECT_EQ(tally_of(made).suppressed, 1U);
  EXPECT_EQ(tally_of(made).bounced, 0U);

  auto lenient = std::make_shared<Policy>(*given.policy);
  lenient->bounce_to = BounceTo::Anyone;
  given.policy = lenient;
  const auto told = settled(given, {OutcomeKind::Failed, OutcomeKind::Delivered});
  EXPECT_EQ(told.update.bounces.size(), 1U);
  EXPECT_EQ(tally_of(told).bounced, 1U);
  EXPECT_EQ(tally_of(told).delivered, 1U);
}

/// What was held had no chance while it was: its time begins with its release.
TEST(Settlement, AReleasedCopyHasAllItsTime) {
  auto given = consignment(1, hours(24 * 30));
  auto queued = std::make_shared<mail::QueuedMessage>(*given.queued);
  queued->recipients[0].released_at = kNow - hours(5);
  given.queued = queued;
  const auto made = settled(given, {OutcomeKind::Deferred});
  EXPECT_EQ(made.update.recipients[0].state, RecipientState::Waiting);
  EXPECT_TRUE(made.copies[0].warn) << "five hours after the release";
  queued->recipients[0].released_at = kNow - hours(121);
  EXPECT_TRUE(settled(given, {OutcomeKind::Deferred}).copies[0].expired);
}

TEST(Settlement, WarnsOnceAndNeverAMachine) {
  const auto human = settled(consignment(1, hours(5)), {OutcomeKind::Deferred});
  ASSERT_EQ(human.update.bounces.size(), 1U);
  EXPECT_TRUE(human.update.recipients[0].warned);
  EXPECT_NE(human.update.bounces[0].last_chunk.find("Action: delayed"), std::string::npos);
  const auto machine =
      settled(consignment(1, hours(5)), {OutcomeKind::Deferred}, "Precedence: bulk\r\n");
  EXPECT_TRUE(machine.update.bounces.empty());
  EXPECT_TRUE(machine.update.recipients[0].warned);
  // But a failure is told even to a machine: it may have to clean its list.
  EXPECT_EQ(settled(consignment(1, hours(5)), {OutcomeKind::Failed}, "Precedence: bulk\r\n")
                .update.bounces.size(),
            1U);
}

/// C6: once it may have been delivered, it stays marked.
TEST(Settlement, RemembersAPossibleDuplicate) {
  const auto given = consignment(1, hours(1));
  auto cut_off = outcome(OutcomeKind::Deferred);
  cut_off.possible_duplicate = true;
  EXPECT_TRUE(settle(given, {cut_off}, kNow, ClockTrust{kNow - hours(1), {}}, 0.5)
                  .update.recipients[0]
                  .possible_duplicate);
}

}  // namespace
}  // namespace relay::delivery
