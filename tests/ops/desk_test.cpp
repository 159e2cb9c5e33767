#include "relay/ops/desk.hpp"

#include <gmock/gmock.h>

#include "relay/ops/copy_name.hpp"
#include "tests/ops/desk_house.hpp"

namespace relay::ops {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class DeskTest : public DeskHouse {};

TEST_F(DeskTest, ListsPageByPageUntilTheEnd) {
  for (int i = 0; i < 5; ++i) add();
  auto page = run(desk_.list({}, std::nullopt, 2));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->now, clock_.wall());
  ASSERT_EQ(page->rows.size(), 2U);
  ASSERT_TRUE(page->next);
  page = run(desk_.list({}, page->next, 3));
  ASSERT_EQ(page->rows.size(), 3U);
  EXPECT_EQ(page->rows.back().copy, queue_.rows.back().copy);
  EXPECT_FALSE(page->next);
}

TEST_F(DeskTest, SaysWhenTheStoreDoesNotAnswer) {
  queue_.fails = {{"list", {1, ports::SpoolError::Unavailable}}};
  const auto page = run(desk_.list({}, std::nullopt, 2));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().exit, ExitCode::Temporary);
  EXPECT_EQ(page.error().text, "queue storage cannot be reached");
}

TEST_F(DeskTest, ShowsTheOneMessageThatMatches) {
  add("a@x.example");
  auto& wanted = add("b@x.example");
  wanted.state = mail::RecipientState::Held;
  queue_.looked_at = 1;  // a store that answers with nothing for long
  const auto view = run(desk_.show(*parse_filter({"to:b@x.example"})));
  ASSERT_TRUE(view);
  ASSERT_EQ(view->copies.size(), 1U);
  EXPECT_EQ(view->copies.front().target, "b@x.example");
}

TEST_F(DeskTest, ShowsOneMessageWithManyCopiesAndRefusesTwo) {
  add("a@x.example");
  queue_.rows.push_back(queue_.rows.back());
  queue_.rows.back().copy.index = 1;
  const auto one = run(desk_.why(*parse_filter({"to:a@x.example"})));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->copies.size(), 2U);
  add("a@x.example");
  const auto two = run(desk_.why(*parse_filter({"to:a@x.example"})));
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().exit, ExitCode::Usage);
  EXPECT_THAT(two.error().text, HasSubstr("several messages"));
}

TEST_F(DeskTest, SaysThatThereIsNoSuchMessage) {
  const auto filtered = run(desk_.show(*parse_filter({"01JD7Z"})));
  ASSERT_FALSE(filtered);
  EXPECT_EQ(filtered.error().exit, ExitCode::NotFound);
  const auto whole = run(desk_.show(*parse_filter({"01JD7ZABCDEFGHJKMNPQRSTVWX"})));
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().exit, ExitCode::NotFound);
  EXPECT_EQ(whole.error().text, "no such message in the queue");
}

TEST_F(DeskTest, ShowsAMessageWhoseCopiesHaveEndedByItsId) {
  auto& row = add();
  row.state = mail::RecipientState::Failed;
  row.end = mail::End::Refused;
  const auto view = run(desk_.show(one(row)));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->copies.front().end, mail::End::Refused);
}

TEST_F(DeskTest, ShowsTheHeaderAndNothingOfTheBody) {
  const auto id = add().copy.message;
  queue_.chunks[id] = {"Subject: a\r\nFro", "m: b\r\n\r", "\nbody\r\n"};
  auto view = run(desk_.show(one(queue_.rows.front())));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header, "Subject: a\r\nFrom: b\r\n");
  EXPECT_FALSE(view->header_cut);
  queue_.chunks[id] = {"\r\nno header\r\n"};
  EXPECT_EQ(run(desk_.show(one(queue_.rows.front())))->header, "");
  queue_.chunks[id] = {"Subject: nothing else\r\n"};
  EXPECT_EQ(run(desk_.show(one(queue_.rows.front())))->header, "Subject: nothing else\r\n");
  queue_.chunks[id] = {};
  EXPECT_EQ(run(desk_.show(one(queue_.rows.front())))->header, "");
}

/// The filter word that pauses a group selects copies tried at its hosts, for every verb.
TEST_F(DeskTest, KnowsHostsByTheNameOfTheirGroup) {
  groups_["microsoft-365"] = {{"mail.protection.outlook.com"}, {"mx.microsoft"}};
  defer(add(), clock_.wall());
  auto& wanted = add("b@y.example");
  defer(wanted, clock_.wall());
  wanted.last.host = "y-example.mail.protection.outlook.com";
  const auto with = *parse_filter({"mx:microsoft-365"});
  const auto without = *parse_filter({"-mx:microsoft-365"});
  const auto page = run(desk_.list(with, std::nullopt, 9));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 1U);
  EXPECT_EQ(page->rows.front().target, "b@y.example");
  const auto others = run(desk_.list(without, std::nullopt, 9));
  ASSERT_TRUE(others);
  ASSERT_EQ(others->rows.size(), 1U);
  EXPECT_EQ(others->rows.front().target, "me@x.example");
  EXPECT_TRUE(run(desk_.show(with)));
  EXPECT_TRUE(run(desk_.why(with)));
  const auto held = run(desk_.change(order(Verb::Hold), with, ports::QueueAction::Hold));
  ASSERT_TRUE(held);
  EXPECT_EQ(held->changed, 1U);
  EXPECT_EQ(queue_.rows.front().state, mail::RecipientState::Waiting);
  const auto unknown = run(desk_.list(*parse_filter({"mx:google"}), std::nullopt, 9));
  ASSERT_TRUE(unknown);
  EXPECT_TRUE(unknown->rows.empty());
}

TEST_F(DeskTest, ShowsNoMoreOfAHeaderThanThereIsRoomFor) {
  const auto id = add().copy.message;
  const std::string chunk(100'000, 'x');
  int read = 0;
  queue_.before = [&](const std::string& call) { read += call == "read" ? 1 : 0; };
  queue_.chunks[id] = {chunk, chunk, chunk, chunk, chunk, "\r\n\r\n"};
  const auto view = run(desk_.show(one(queue_.rows.front())));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header.size(), 256U * 1024);
  EXPECT_TRUE(view->header_cut);
  EXPECT_EQ(read, 3);
}

TEST_F(DeskTest, SaysWhenACopyExpiresAndWhatItWaitsFor) {
  auto& row = add("Me@X.example");
  row.handling.risk_pool = true;
  delivery_.waiting[row.copy] = {.what = ports::Waiting::For::Rate, .copies_before = 7};
  auto view = run(desk_.why(one(row)));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->copies.front().expires, row.received_at + 120h);
  ASSERT_TRUE(view->copies.front().waits_for);
  EXPECT_EQ(view->copies.front().waits_for->copies_before, 7U);
  ASSERT_EQ(delivery_.asked.size(), 1U);
  EXPECT_EQ(delivery_.asked.front().first, (ports::LaneKey{"x.example", true}));
  EXPECT_EQ(delivery_.asked.front().second, "info@fwd.example");

  queue_.rows.front().released_at = clock_.wall() - 1h;  // it has its whole time from then
  view = run(desk_.why(one(row)));
  EXPECT_EQ(view->copies.front().expires, clock_.wall() + 119h);

  queue_.rows.front().state = mail::RecipientState::Held;
  view = run(desk_.why(one(row)));
  EXPECT_FALSE(view->copies.front().expires);
  EXPECT_FALSE(view->copies.front().waits_for);
}

TEST(CopyName, IsAnIdAndANumber) {
  const mail::CopyId copy{*mail::MessageId::parse("01JD7ZABCDEFGHJKMNPQRSTVWX"), 7};
  EXPECT_EQ(copy_name(copy), "01JD7ZABCDEFGHJKMNPQRSTVWX/7");
  EXPECT_EQ(parse_copy_name(copy_name(copy)), copy);
  EXPECT_EQ(parse_copy_name("01jd7zabcdefghjkmnpqrstvwx")->index, UINT16_MAX);
  for (const char* text :
       {"", "01JD7Z", "01JD7Z/1", "01JD7ZABCDEFGHJKMNPQRSTVWX/", "01JD7ZABCDEFGHJKMNPQRSTVWX/x",
        "01JD7ZABCDEFGHJKMNPQRSTVWX/65536", "01JD7ZABCDEFGHJKMNPQRSTVWX/1/2"}) {
    EXPECT_FALSE(parse_copy_name(text)) << text;
  }
}

}  // namespace
}  // namespace relay::ops
