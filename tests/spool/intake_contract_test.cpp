// Contract of every queue for the intake.
#include <algorithm>

#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;
using mail::RecipientState;
using ports::SpoolError;

constexpr std::size_t kChunk = ports::kChunkOctets;

class IntakeContract : public QueueContract {
 protected:
  void append(const mail::MessageId& id, std::uint32_t sequence, const std::string& chunk) {
    ASSERT_TRUE(run(intake().append(id, sequence, chunk)));
  }

  std::uint64_t messages() { return run(operators().totals())->messages; }
};

std::string octets(std::size_t size) {
  std::string made(size, 'x');
  for (std::size_t at = 0; at < size; at += 997) made[at] = static_cast<char>('a' + at % 26);
  return made;
}

TEST_P(IntakeContract, GivesBackWhatWasCommitted) {
  const auto id = add(message_to({"a@x.example", "b@Y.example"}));
  const auto loaded = load(id, {0, 1});
  EXPECT_EQ(loaded.message.reverse_path.to_string(), "\"Ann B\"@sender.example");
  EXPECT_TRUE(loaded.message.smtputf8);
  EXPECT_EQ(loaded.message.client.helo, "client.example");
  EXPECT_EQ(loaded.message.client.port, 4711);
  EXPECT_EQ(loaded.message.trace_fields, "Received: x\r\n");
  EXPECT_EQ(loaded.message.message_id, "4711@sender.example");
  EXPECT_EQ(loaded.received_at, kNow);
  EXPECT_EQ(loaded.message.size, 4U);
  ASSERT_EQ(loaded.recipients.size(), 2U);
  EXPECT_EQ(loaded.recipients[1].route.target.to_string(), "b@Y.example");
  EXPECT_EQ(loaded.recipients[1].next_due, kNow);
  EXPECT_EQ(loaded.recipients[1].end, mail::End::None);
  EXPECT_EQ(content_of(id), "body");
}

TEST_P(IntakeContract, GivesBackHowEachCopyIsToLeave) {
  auto made = message_to({"a@x.example", "b@x.example", "c@x.example", "d@x.example"});
  made.message.seal_fields = "ARC-Seal: i=1;\r\n\t\0b=x\r\n"s;
  made.message.rewritten_head = "Received: x\r\nFrom: new@fwd.example\r\n";
  made.message.header_octets = 17;
  made.message.sender_authenticated = true;
  made.routes[0].handling = {.seal = true, .risk_pool = false, .new_author = false, .reason = "s"};
  made.routes[1].handling = {.seal = false, .risk_pool = true, .new_author = false, .reason = "r"};
  made.routes[2].handling = {.seal = false, .risk_pool = false, .new_author = true, .reason = "ä"};
  made.routes[1].mark = mail::AliasMark::OriginalTo;
  made.routes[2].mark = mail::AliasMark::DeliveredTo;
  const auto loaded = load(add(made), {0, 1, 2, 3});
  EXPECT_EQ(loaded.message.seal_fields, made.message.seal_fields);
  EXPECT_EQ(loaded.message.rewritten_head, made.message.rewritten_head);
  EXPECT_EQ(loaded.message.header_octets, 17U);
  EXPECT_TRUE(loaded.message.sender_authenticated);
  for (std::size_t i = 0; i < made.routes.size(); ++i) {
    const mail::Handling& given = made.routes[i].handling;
    const mail::Handling& kept = loaded.recipients[i].route.handling;
    EXPECT_EQ(kept.seal, given.seal) << i;
    EXPECT_EQ(kept.risk_pool, given.risk_pool) << i;
    EXPECT_EQ(kept.new_author, given.new_author) << i;
    EXPECT_EQ(loaded.recipients[i].route.mark, made.routes[i].mark) << i;
    EXPECT_EQ(kept.reason, given.reason) << i;
  }
  EXPECT_FALSE(load(add(message_to({"a@x.example"}))).message.sender_authenticated);
}

/// A copy that its alias throws away has ended when it comes; a message of such copies goes at
/// once.
TEST_P(IntakeContract, TakesCopiesThatHaveEnded) {
  auto some = message_to({"noise@fwd.example", "a@x.example"}, octets(2 * kChunk + 5));
  some.routes[0].ended = mail::End::Discarded;
  append(some.message.id, 0, some.content.substr(0, kChunk));
  some.content.erase(0, kChunk);
  const auto id = add(some);
  const auto loaded = load(id, {0, 1});
  EXPECT_EQ(loaded.recipients[0].state, RecipientState::Failed);
  EXPECT_EQ(loaded.recipients[0].end, mail::End::Discarded);
  EXPECT_EQ(loaded.recipients[1].state, RecipientState::Waiting);
  EXPECT_EQ(run(operators().totals())->waiting, 1U);
  const ports::Update sent{.id = id, .copies = {outcome(1, RecipientState::Delivered)}};
  EXPECT_TRUE(run(delivery().record(sent))->message_ended);
  EXPECT_EQ(messages(), 0U);

  auto all = message_to({"noise@fwd.example"}, octets(2 * kChunk));
  all.routes[0].ended = mail::End::Discarded;
  append(all.message.id, 0, all.content.substr(0, kChunk));
  all.content.erase(0, kChunk);
  ASSERT_TRUE(run(intake().commit(all)));
  EXPECT_EQ(messages(), 0U);
  EXPECT_EQ(run(operators().totals())->bytes, 0U);
  EXPECT_FALSE(run(delivery().load(all.message.id, {0})));
  restart();
  EXPECT_EQ(messages(), 0U);
}

/// A copy that its alias did not take is a failure like any other: in one transaction with its
/// notice.
TEST_P(IntakeContract, OwesNoticesOfCopiesThatWereRefusedBeforeTheyCame) {
  auto made = message_to({"s@x.example", "a@x.example"});
  made.routes[0].ended = mail::End::Refused;
  made.owes_notices = true;
  const auto id = add(made);
  EXPECT_EQ(run(operators().totals())->owed_reports, 1U);
  restart();
  const auto owed = run(delivery().notices(id));
  ASSERT_TRUE(owed);
  ASSERT_EQ(owed->notices.size(), 1U);
  EXPECT_EQ(owed->notices[0].kind, ports::Notify::OfFailure);
  EXPECT_EQ(owed->notices[0].end, mail::End::Refused);
  EXPECT_EQ(owed->notices[0].attempt.status, (mail::EnhancedStatus{5, 2, 3}));
  EXPECT_TRUE(run(delivery().reports_due(9))->empty());  // more may fail

  auto alone = message_to({"s@x.example"});
  alone.routes[0].ended = mail::End::Refused;
  alone.owes_notices = true;
  const auto all = add(alone);
  EXPECT_EQ(*run(delivery().reports_due(9)), std::vector{all});
  ASSERT_TRUE(
      run(delivery().report({.id = all, .notices = {{0, ports::Notify::OfFailure}}, .dsns = {}})));
  EXPECT_TRUE(is_gone(all));

  alone.message.id = mail::MessageId::generate(kNow);
  alone.owes_notices = false;
  EXPECT_TRUE(is_gone(add(alone)));
}

/// Whatever its size, and wherever its content lies: nothing of ours is mixed up with it.
TEST_P(IntakeContract, GivesBackContentOfAnyLengthWithOurFields) {
  for (const std::size_t size :
       {0UL, 1UL, 3'000UL, 20'000UL, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 617'618UL}) {
    const std::string content = octets(size);
    auto made = message_to({"a@x.example"}, content);
    made.message.trace_fields = std::string(2'500, 't') + "\r\n";
    made.message.seal_fields = "ARC-Seal: x\r\n";
    const auto id = add(made);
    EXPECT_TRUE(content_of(id) == content) << size;
    const auto loaded = load(id);
    EXPECT_EQ(loaded.message.trace_fields, made.message.trace_fields) << size;
    EXPECT_EQ(loaded.message.seal_fields, made.message.seal_fields) << size;
    EXPECT_EQ(loaded.message.rewritten_head, "") << size;
  }
}

TEST_P(IntakeContract, KeepsWhatWasAppendedInFrontOfTheRest) {
  for (const std::size_t rest : {0UL, 4UL, kChunk + 9}) {
    const std::string content = octets(2 * kChunk + rest);
    auto made = message_to({"a@x.example"}, content);
    append(made.message.id, 0, content.substr(0, kChunk));
    append(made.message.id, 1, content.substr(kChunk, kChunk));
    append(made.message.id, 1, content.substr(kChunk, kChunk));  // nobody knew whether it was done
    made.content = content.substr(2 * kChunk);
    const auto id = add(std::move(made));
    EXPECT_TRUE(content_of(id) == content) << rest;
    EXPECT_EQ(load(id).message.trace_fields, "Received: x\r\n");
  }
}

TEST_P(IntakeContract, RefusesContentThatDoesNotBelongToItsSize) {
  auto shorter = message_to({"a@x.example"}, "body");
  shorter.message.size = 5;
  EXPECT_EQ(run(intake().commit(shorter)).error(), SpoolError::Corrupt);
  auto longer = message_to({"a@x.example"}, "body");
  longer.message.size = 3;
  EXPECT_EQ(run(intake().commit(longer)).error(), SpoolError::Corrupt);
  auto headless = message_to({"a@x.example"}, "body");
  headless.message.size += kChunk;
  EXPECT_EQ(run(intake().commit(headless)).error(), SpoolError::NotFound) << "nothing was appended";
  EXPECT_EQ(run(intake().append(headless.message.id, 0, "short")).error(), SpoolError::Corrupt);
  append(headless.message.id, 0, octets(kChunk));
  append(headless.message.id, 1, octets(kChunk));
  EXPECT_EQ(run(intake().commit(headless)).error(), SpoolError::NotFound) << "too much was";
  EXPECT_EQ(messages(), 0U);
}

TEST_P(IntakeContract, StoresAMessageOnceHoweverOftenItIsGiven) {
  const std::string content = octets(kChunk + 100);
  auto made = message_to({"a@x.example", "b@y.example"}, content);
  const auto id = made.message.id;
  append(id, 0, content.substr(0, kChunk));
  made.content = content.substr(kChunk);
  add(made);
  record(id, {outcome(0, RecipientState::Waiting)});
  // As after an answer that got lost: all of it comes again, or is given up.
  append(id, 0, content.substr(0, kChunk));
  append(id, 1, octets(kChunk));
  EXPECT_TRUE(run(intake().commit(made)));
  intake().discard(id);
  EXPECT_EQ(run(operators().totals())->waiting, 2U);
  EXPECT_EQ(load(id).recipients[0].attempts, 1U) << "what happened since stays";
  restart();
  EXPECT_TRUE(content_of(id) == content);
}

TEST_P(IntakeContract, ForgetsADraft) {
  auto made = message_to({"a@x.example"}, octets(kChunk + 1));
  append(made.message.id, 0, made.content.substr(0, kChunk));
  made.content.erase(0, kChunk);
  intake().discard(made.message.id);
  EXPECT_EQ(run(intake().commit(made)).error(), SpoolError::NotFound);
  append(made.message.id, 0, octets(kChunk));
  restart();  // drafts end with the process
  EXPECT_EQ(run(intake().commit(made)).error(), SpoolError::NotFound);
  EXPECT_EQ(messages(), 0U);
}

/// A copy may wait for the operator from the start: never due until it is released.
TEST_P(IntakeContract, HoldsACopyFromTheStart) {
  auto made = message_to({"a@x.example", "b@x.example"});
  made.routes[1].held = true;
  const auto id = add(std::move(made));
  EXPECT_EQ(run(operators().totals())->held, 1U);
  clock_.advance(24h * 365 * 9);
  EXPECT_EQ(run(delivery().due(std::nullopt, 10))->copies.size(), 1U);
  record(id, {outcome(0, RecipientState::Delivered)});
  const auto held = load(id, {1}).recipients[0];
  EXPECT_TRUE(held.route.held);
  EXPECT_EQ(held.state, RecipientState::Held);
  EXPECT_EQ(run(delivery().next_due_in()).value(), std::nullopt);
}

TEST_P(IntakeContract, RefusesMoreThanMayWaitForATarget) {
  const auto awaiting = [](std::uint64_t most) {
    auto made = message_to({"c@z.example", "b@y.example"});
    made.routes[1].held = true;
    made.routes[1].awaits = "b@y.example";
    made.max_awaiting = most;
    return made;
  };
  add(awaiting(2));
  add(awaiting(2));
  const auto full = awaiting(2);
  EXPECT_EQ(run(intake().commit(full)).error(), SpoolError::Unconfirmed);
  EXPECT_TRUE(is_gone(full.message.id)) << "nothing of it stays";
  add(awaiting(3));
}

/// By the key that came with it, which nothing else of the message has to yield: neither its
/// copies, nor whether they are still there.
TEST_P(IntakeContract, RemembersWhatWasAcceptedLately) {
  const auto come = [this](const std::string& key) {
    auto made = message_to({"a@x.example", "b@y.example"}, "body", clock_.wall());
    made.resend_key = base::sha256(key);
    return add(std::move(made));
  };
  come("old");
  clock_.advance(118min);
  const auto first = come("first");
  clock_.advance(1min);
  const auto newest = come("second");
  add(message_to({"a@x.example"}, "a DSN of ours"));
  record(first, {outcome(0, RecipientState::Delivered), outcome(1, RecipientState::Delivered)});
  EXPECT_TRUE(is_gone(first));
  clock_.advance(1min);
  const auto found = run(intake().accepted_within(1h, 10));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).proof.id(), newest);
  EXPECT_EQ(found->at(0).resend_key, base::sha256("second"));
  EXPECT_EQ(found->at(1).proof.id(), first);
  EXPECT_EQ(found->at(1).resend_key, base::sha256("first"));
  EXPECT_EQ(run(intake().accepted_within(1h, 1))->size(), 1U);
}

TEST_P(IntakeContract, RemembersAMessageOnceAndOnlyIfItWasAccepted) {
  auto made = a_message("body");
  made.resend_key = base::sha256("key");
  add(made);
  add(made);
  auto refused = message_to({"e@x.example"});
  refused.resend_key = base::sha256("another");
  refused.routes[0].held = true;
  refused.routes[0].awaits = "e@x.example";
  refused.max_awaiting = 0;
  EXPECT_EQ(run(intake().commit(refused)).error(), SpoolError::Unconfirmed);
  EXPECT_EQ(run(intake().accepted_within(1h, 10))->size(), 1U);
}

/// The clock of the accepting process may be wrong, and its ids with it; the age of a message does
/// not depend on it.
TEST_P(IntakeContract, SaysByItsOwnClockWhenAMessageWasReceived) {
  const auto come = [this](base::WallTime begun) {
    auto made = message_to({"a@x.example"}, "body", begun);
    made.resend_key = base::sha256("key");
    return add(std::move(made));
  };
  const auto behind = come(kNow - 24h * 365);
  const auto ahead = come(kNow + 24h * 365);
  EXPECT_EQ(intake().now(), kNow);
  for (const auto& id : {behind, ahead}) {
    EXPECT_EQ(load(id).received_at, kNow);
    EXPECT_EQ(run(operators().copies(id))->at(0).received_at, kNow);
    EXPECT_EQ(load(id).recipients[0].next_due, kNow);
  }
  clock_.advance(1h);
  EXPECT_EQ(run(intake().accepted_within(1h, 10))->size(), 2U);
  EXPECT_EQ(list({{{.field = ports::QueueCondition::Field::OlderThan, .age = 59min}}}).size(), 2U);
  clock_.advance(1ms);
  EXPECT_EQ(run(intake().accepted_within(1h, 10))->size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Each, IntakeContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
