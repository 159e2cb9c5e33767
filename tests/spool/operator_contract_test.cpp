// Contract of every queue for the operator.
#include <algorithm>

#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;
using ports::PauseRule;
using ports::QueueAction;
using ports::SpoolError;
using Field = ports::QueueCondition::Field;

class OperatorContract : public QueueContract {
 protected:
  std::size_t listed(Field field, const std::string& text) {
    return list(where(field, text)).size();
  }

  ports::QueueRow row(const mail::MessageId& id, std::size_t index = 0) {
    return run(operators().copies(id)).value().at(index);
  }

  static ports::QueueFilter in_state(RecipientState state) {
    return {{{.field = Field::State, .state = state}}};
  }

  std::size_t due() { return due_now().size(); }
};

TEST_P(OperatorContract, ShowsACopyAsItIsStored) {
  auto made = message_to({"Me@Target.example", "b@y.example"});
  made.routes[0].handling = {.seal = true, .risk_pool = true, .new_author = false, .reason = "r"};
  made.routes[0].held = true;
  made.routes[0].awaits = "me@target.example";
  const auto id = add(std::move(made));
  const auto shown = row(id);
  EXPECT_EQ(shown.copy, (mail::CopyId{id, 0}));
  EXPECT_EQ(shown.received_at, kNow);
  EXPECT_EQ(shown.size, 4U);
  EXPECT_EQ(shown.client, "192.0.2.1");
  EXPECT_EQ(shown.helo, "client.example");
  EXPECT_EQ(shown.tls, "TLSv1.3");
  EXPECT_EQ(shown.message_id, "4711@sender.example");
  EXPECT_EQ(shown.mail_from, "\"Ann B\"@sender.example");
  EXPECT_EQ(shown.alias, "info@fwd.example");
  EXPECT_EQ(shown.target, "Me@Target.example");
  EXPECT_EQ(shown.sender, "srs@fwd.example");
  EXPECT_TRUE(shown.handling.seal && shown.handling.risk_pool);
  EXPECT_EQ(shown.handling.reason, "r");
  EXPECT_TRUE(shown.held_on_entry);
  EXPECT_EQ(shown.awaits, "me@target.example");
  EXPECT_EQ(shown.state, RecipientState::Held);
  EXPECT_EQ(shown.released_at, base::WallTime{});
  auto update = outcome(1, RecipientState::Waiting);
  update.warned = true;
  update.possible_duplicate = true;
  record(id, {update});
  const auto tried = row(id, 1);
  EXPECT_EQ(tried.attempts, 1U);
  EXPECT_EQ(tried.next_due, kNow + 5min);
  EXPECT_TRUE(tried.warned && tried.possible_duplicate);
  EXPECT_EQ(tried.last.host, "mx.example");
  EXPECT_EQ(tried.last.status.to_string(), "4.2.0");
  EXPECT_EQ(run(operators().read(id, 0)).value(), "body");
  EXPECT_EQ(operators().now(), kNow);
}

TEST_P(OperatorContract, ShowsCopiesThatHaveEndedWhileTheirMessageIsThere) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  record(id, {outcome(0, RecipientState::Delivered)});
  EXPECT_EQ(row(id).end, mail::End::Delivered);
  EXPECT_EQ(list({}).size(), 1U) << "a listing is of what has not ended";
  EXPECT_EQ(run(operators().copies(mail::MessageId::generate(kNow))).error(), SpoolError::NotFound);
}

TEST_P(OperatorContract, ListsByKeyAndPageByPage) {
  std::vector<mail::CopyId> expected;
  for (int i = 0; i < 5; ++i) {
    const auto id =
        add(message_to({"a@x.example", "b@y.example"}, "body", kNow - std::chrono::minutes(5 - i)));
    expected.push_back({id, 0});
    expected.push_back({id, 1});
  }
  for (const std::size_t limit : {1UL, 3UL, 100UL}) {
    std::vector<mail::CopyId> found;
    for (const auto& shown : list({}, limit)) found.push_back(shown.copy);
    EXPECT_EQ(found, expected) << limit;
  }
}

TEST_P(OperatorContract, LooksAtNoMoreThanAFewThousandCopiesForAPage) {
  std::vector<std::string> targets(1000, "a@x.example");
  for (int i = 0; i < 6; ++i) add(message_to(targets));
  const auto last = add(message_to({"z@z.example"}, "body", kNow + 1s));
  const auto page =
      run(operators().list(where(Field::Target, "z@z.example"), std::nullopt, 10)).value();
  EXPECT_TRUE(page.rows.empty());
  EXPECT_TRUE(page.next) << "there is more to look at";
  EXPECT_EQ(listed(Field::Target, "z@z.example"), 1U);
  const auto found = run(operators().list(with_id(last), std::nullopt, 10)).value();
  EXPECT_EQ(found.rows.size(), 1U) << "an id is found without looking at others";
  EXPECT_FALSE(found.next);
}

TEST_P(OperatorContract, FindsCopiesByWhateverTheFilterSays) {
  auto bounce = message_to({"x@x.example"}, "body", kNow - 3h);
  bounce.message.reverse_path = mail::ReversePath::null();
  bounce.message.message_id = "";
  add(std::move(bounce));
  clock_.advance(3h);
  auto made = message_to({"me@target.example", "you@other.example"});
  made.routes[1].original = mail::ForwardPath(mailbox("team@Sales.example"));
  const auto id = add(std::move(made));
  record(id, {outcome(0, RecipientState::Waiting)});
  EXPECT_EQ(listed(Field::Target, "target.example"), 1U);
  EXPECT_EQ(listed(Field::Target, "arget.example"), 0U);
  EXPECT_EQ(listed(Field::Target, "*example"), 3U);
  EXPECT_EQ(listed(Field::Alias, "info@fwd.example"), 2U);
  EXPECT_EQ(listed(Field::Domain, "sales.example"), 1U);
  EXPECT_EQ(listed(Field::Sender, "<>"), 1U);
  EXPECT_EQ(listed(Field::Sender, "sender.example"), 2U);
  EXPECT_EQ(listed(Field::Host, "example"), 1U);
  EXPECT_EQ(listed(Field::Host, "some-group"), 0U);
  EXPECT_EQ(
      list({{{.field = Field::Host, .text = "some-group", .group = {{"mx.example"}}}}}).size(), 1U);
  EXPECT_EQ(listed(Field::Code, "4.2.*"), 1U);
  EXPECT_EQ(listed(Field::MessageId, "4711@sender.example"), 2U);
  EXPECT_EQ(listed(Field::Id, id.to_string().substr(0, 12)), 2U);
  EXPECT_EQ(list({{{.field = Field::OlderThan, .age = 2h}}}).size(), 1U);
  EXPECT_EQ(list({{{.field = Field::YoungerThan, .age = 2h}}}).size(), 2U);
  EXPECT_EQ(list({{{.field = Field::State, .deferred = true}}}).size(), 1U);
  EXPECT_EQ(list({{{.field = Field::Target, .text = "target.example", .negated = true}}}).size(),
            2U);
  EXPECT_EQ(list({{{.field = Field::Target, .text = "target.example"},
                   {.field = Field::Sender, .text = "<>"}}})
                .size(),
            0U);
}

TEST_P(OperatorContract, RetriesWhatWaitsAndNothingThatIsHeld) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  record(id, {outcome(0, RecipientState::Waiting)});
  change(where(Field::Target, "b@y.example"), QueueAction::Hold);
  EXPECT_EQ(due(), 0U);
  clock_.advance(1s);
  EXPECT_EQ(change({}, QueueAction::Retry), (std::vector<mail::CopyId>{{id, 0}}));
  EXPECT_EQ(due(), 1U);
  EXPECT_EQ(row(id).next_due, kNow + 1s);
  EXPECT_EQ(row(id).attempts, 1U);
  EXPECT_EQ(row(id).released_at, base::WallTime{}) << "its time goes on";
  EXPECT_EQ(row(id, 1).state, RecipientState::Held);
}

TEST_P(OperatorContract, HoldsAndReleases) {
  const auto id = add(message_to({"a@x.example"}));
  const auto other = add(message_to({"b@y.example"}));
  EXPECT_EQ(change(with_id(id), QueueAction::Hold).size(), 1U);
  EXPECT_EQ(change(with_id(id), QueueAction::Hold).size(), 0U);
  EXPECT_EQ(due(), 1U);
  EXPECT_EQ(run(operators().totals())->held, 1U);
  EXPECT_EQ(run(operators().totals())->waiting, 1U);
  EXPECT_EQ(list(in_state(RecipientState::Held)).size(), 1U);
  clock_.advance(1h);
  EXPECT_EQ(change({}, QueueAction::Release), (std::vector<mail::CopyId>{{id, 0}}));
  EXPECT_EQ(row(id).released_at, kNow + 1h);
  EXPECT_EQ(row(id).next_due, kNow + 1h);
  EXPECT_EQ(row(other).released_at, base::WallTime{});
  EXPECT_EQ(due(), 2U);
}

/// The dot of a copy held a moment ago may be written, so a second order must count it.
TEST_P(OperatorContract, NamesWhatItFindsHeldAlready) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  change(where(Field::Target, "b@y.example"), QueueAction::Hold);
  const auto slice = run(operators().change({}, QueueAction::Hold, "r", std::nullopt)).value();
  EXPECT_EQ(slice.changed, (std::vector<mail::CopyId>{{id, 0}}));
  EXPECT_EQ(slice.held_before, (std::vector<mail::CopyId>{{id, 1}}));
  for (const auto action : {QueueAction::Retry, QueueAction::Release, QueueAction::Drop}) {
    const auto other = run(operators().change({}, action, "r", std::nullopt)).value();
    EXPECT_TRUE(other.held_before.empty());
  }
}

TEST_P(OperatorContract, DropsWithoutTellingTheSender) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  const auto other = add(message_to({"c@z.example"}));
  EXPECT_EQ(change(where(Field::Target, "a@x.example"), QueueAction::Drop, "spam"),
            (std::vector<mail::CopyId>{{id, 0}}));
  EXPECT_EQ(row(id).state, RecipientState::Failed);
  EXPECT_EQ(row(id).end, mail::End::Dropped);
  EXPECT_EQ(row(id).last.text, "spam");
  EXPECT_EQ(row(id).last.stage, mail::Stage::Policy);
  EXPECT_EQ(change(with_id(id), QueueAction::Drop).size(), 1U) << "what has ended has ended";
  EXPECT_TRUE(is_gone(id));
  EXPECT_FALSE(is_gone(other));
  EXPECT_EQ(run(operators().totals())->messages, 1U);
  EXPECT_EQ(run(operators().totals())->owed_reports, 0U);
}

TEST_P(OperatorContract, BouncesAndOwesTheSenderAWord) {
  auto made = message_to({"a@x.example", "b@y.example"});
  made.routes[1].held = true;
  const auto id = add(std::move(made));
  EXPECT_EQ(change(with_id(id), QueueAction::Bounce, "we do not take this").size(), 2U);
  EXPECT_EQ(run(operators().totals())->waiting + run(operators().totals())->held, 0U);
  EXPECT_EQ(run(delivery().reports_due(10)).value(), std::vector{id});
  const auto notices = run(delivery().notices(id)).value();
  ASSERT_EQ(notices.notices.size(), 2U);
  EXPECT_EQ(notices.notices[1].kind, ports::Notify::OfFailure);
  EXPECT_EQ(notices.notices[1].end, mail::End::Returned);
  EXPECT_EQ(notices.notices[1].attempt.stage, mail::Stage::Policy);
  EXPECT_EQ(notices.notices[1].attempt.status.to_string(), "5.7.1");
  EXPECT_EQ(notices.notices[1].attempt.text, "we do not take this");
  EXPECT_EQ(notices.notices[1].attempt.at, kNow);
}

TEST_P(OperatorContract, HasNobodyToTellWhenTheSenderIsNull) {
  auto made = message_to({"a@x.example", "b@y.example"});
  made.message.reverse_path = mail::ReversePath::null();
  const auto id = add(std::move(made));
  EXPECT_EQ(change(where(Field::Target, "a@x.example"), QueueAction::Bounce).size(), 1U);
  EXPECT_EQ(row(id).end, mail::End::Returned);
  EXPECT_EQ(run(delivery().next_report_in()).value(), std::nullopt);
  change(with_id(id), QueueAction::Bounce);
  EXPECT_TRUE(is_gone(id));
}

/// After any order of the operator a confirmation does not change the copy.
TEST_P(OperatorContract, DecidesForCopiesThatWaitForConsent) {
  auto made = message_to({"a@x.example", "b@y.example"});
  for (mail::Route& route : made.routes) {
    route.held = true;
    route.awaits = route.target.to_string();
  }
  const auto id = add(std::move(made));
  const auto copies = run(consent().awaiting_copies(std::nullopt, 10)).value();
  ASSERT_EQ(copies.size(), 2U);
  EXPECT_EQ(change(where(Field::Target, "a@x.example"), QueueAction::Retry).size(), 0U);
  EXPECT_EQ(run(consent().awaiting({"a@x.example"})).value(), 1U);
  EXPECT_EQ(change(where(Field::Target, "a@x.example"), QueueAction::Hold).size(), 1U);
  EXPECT_EQ(run(consent().release(copies)).value(), 1U);
  EXPECT_EQ(row(id, 0).state, RecipientState::Held);
  EXPECT_EQ(row(id, 1).state, RecipientState::Waiting);
  EXPECT_EQ(change(with_id(id), QueueAction::Drop).size(), 2U);
  EXPECT_TRUE(run(consent().awaiting_copies(std::nullopt, 10))->empty());
}

TEST_P(OperatorContract, ChangesManyCopiesInSlices) {
  for (int i = 0; i < 3; ++i) add(message_to(std::vector<std::string>(700, "a@x.example")));
  const auto first = run(operators().change({}, QueueAction::Hold, "r", std::nullopt)).value();
  EXPECT_TRUE(first.next);
  EXPECT_LE(first.changed.size(), 1000U);
  EXPECT_EQ(run(operators().totals())->held, first.changed.size());
  EXPECT_EQ(change({}, QueueAction::Hold).size() + first.changed.size(), 2100U);
  EXPECT_EQ(change({}, QueueAction::Release).size(), 2100U);
  EXPECT_EQ(change({}, QueueAction::Drop).size(), 2100U);
  EXPECT_EQ(run(operators().totals())->messages, 0U);
}

TEST_P(OperatorContract, CountsWhatIsThere) {
  add(message_to({"a@x.example", "b@y.example"}, "1234"));
  const auto id = add(message_to({"a@x.example", "b@y.example"}, "123456"));
  auto failed = outcome(0, RecipientState::Failed);
  failed.notify = ports::Notify::OfFailure;
  record(id, {failed});
  change(where(Field::Target, "b@y.example"), QueueAction::Hold);
  const auto totals = run(operators().totals()).value();
  EXPECT_EQ(totals.messages, 2U);
  EXPECT_EQ(totals.waiting, 1U);
  EXPECT_EQ(totals.held, 2U);
  EXPECT_EQ(totals.bytes, 10U);
  EXPECT_EQ(totals.owed_reports, 1U);
  restart();
  const auto again = run(operators().totals()).value();
  EXPECT_EQ(again.messages, 2U);
  EXPECT_EQ(again.waiting, 1U);
  EXPECT_EQ(again.held, 2U);
  EXPECT_EQ(again.bytes, 10U);
  EXPECT_EQ(again.owed_reports, 1U);
}

TEST_P(OperatorContract, KeepsRulesAboutWhatIsPaused) {
  using Kind = PauseRule::Kind;
  const auto rule =
      run(operators().pause(Kind::Host, "Outlook.com", "they asked", std::nullopt)).value();
  EXPECT_EQ(rule.value, "outlook.com");
  EXPECT_EQ(rule.since, kNow);
  EXPECT_EQ(rule.until, std::nullopt);
  const auto hour = run(operators().pause(Kind::Domain, "fwd.example", "moved", 1h)).value();
  EXPECT_EQ(hour.until, kNow + 1h);
  EXPECT_EQ(run(operators().pauses()).value(), (std::vector<PauseRule>{rule, hour}));
  restart();
  EXPECT_EQ(run(operators().pauses())->size(), 2U) << "they survive a restart";
  clock_.advance(30min);
  const auto longer = run(operators().pause(Kind::Domain, "fwd.example", "later", 1h)).value();
  EXPECT_EQ(run(operators().pauses()).value(), (std::vector<PauseRule>{rule, longer}));
  clock_.advance(1h);
  EXPECT_EQ(run(operators().pauses()).value(), (std::vector<PauseRule>{rule}));
  EXPECT_FALSE(run(operators().resume(Kind::Alias, "outlook.com")).value());
  EXPECT_TRUE(run(operators().resume(Kind::Host, "outlook.COM")).value());
  EXPECT_FALSE(run(operators().resume(Kind::Host, "outlook.com")).value());
  EXPECT_TRUE(run(operators().pauses())->empty());
}

INSTANTIATE_TEST_SUITE_P(Each, OperatorContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
